// Unit tests of what operators see and do. No document is needed.

import {filterText} from "../../core/admin/page/bulk.js";
import {nameOf} from "../../core/admin/page/case_dialog.js";
import {fileName, makeCase} from "../../core/admin/page/case_yaml.js";
import {asSent, curlWords} from "../../core/admin/page/curl.js";
import {deliveryFilterOf} from "../../core/admin/page/delivery_filter.js";
import {pausePresets, tryPresets, weekdayOf} from "../../core/admin/page/presets.js";
import {whenOf} from "../../core/admin/page/rule_yaml.js";
import {concurrencyText, paceText, placesText, sentence, sinkWords} from "../../core/admin/page/sink_words.js";
import {parseHeaders} from "../../core/admin/page/try_form.js";
import {same, test} from "./unit.js";

// rule_yaml.js

test("the conditions of a rule are shown as they are written", () => {
  same(whenOf("name: a\nwhen:\n  status: [failed]   # theirs\n  any:\n    - {agent: b}\nsend: [ops]"), "status: [failed]   # theirs\nany:\n  - {agent: b}");
  same(whenOf("name: a\nwhen: {status: failed}\nsend: [ops]"), "{status: failed}");
  same([whenOf("name: a\nsend: [ops]"), whenOf(null), whenOf("when: {}")], ["", "", "{}"]);
});

// presets.js

const minutes = (date) => date && [date.getMonth() + 1, date.getDate(), date.getHours(), date.getMinutes()];
const presets = (now) => pausePresets(now).map(({label, at}) => [label, minutes(at)]);

test("a pause can end in an hour, today, tomorrow or when it is resumed", () =>
  same(presets(new Date(2026, 2, 31, 9, 2)), [["1 hour, to 10:02", [3, 31, 10, 2]], ["18:00 today", [3, 31, 18, 0]], ["9:00 tomorrow", [4, 1, 9, 0]], ["it is resumed", null]]));
test("no pause ends at a time that is over", () => same(presets(new Date(2026, 2, 31, 18, 0)).map(([label]) => label), ["1 hour, to 19:00", "18:00 tomorrow", "9:00 tomorrow", "it is resumed"]));
test("a payload is tried at the next such time", () => {
  const times = (now) => tryPresets(now).slice(1).map(({date}) => minutes(date));
  same(times(new Date(2026, 2, 4, 12)), [[3, 5, 3, 0], [3, 8, 20, 0], [3, 9, 10, 0]]);        // a Wednesday
  same(times(new Date(2026, 2, 8, 19, 59)), [[3, 9, 3, 0], [3, 8, 20, 0], [3, 9, 10, 0]]);    // a Sunday
  same(times(new Date(2026, 2, 8, 20, 0)), [[3, 9, 3, 0], [3, 15, 20, 0], [3, 9, 10, 0]]);
  same(times(new Date(2026, 2, 9, 2, 30)), [[3, 9, 3, 0], [3, 15, 20, 0], [3, 9, 10, 0]]);
  same(weekdayOf(new Date(2026, 2, 8)), "Sunday");
});

// sink_words.js

test("a sink's state is a word and a sentence", () => {
  const words = (sink) => Object.values(sinkWords({because: null, since: null, until: null, ...sink}));
  same(words({state: "open"}), ["ok", "works", null]);
  same(words({state: "failing", because: "HTTP 503 from crm.example.com"}), ["bad", "fails", "HTTP 503 from crm.example.com."]);
  same(words({state: "misconfigured", because: "the webhook was removed"}), ["bad", "misconfigured", "The webhook was removed."]);
  same(words({state: "paused", because: "paused by the operator: carrier maintenance"}), ["wait", "paused", "Nothing is sent until it is resumed: carrier maintenance."]);
  same(words({state: "paused", because: "paused by the operator"}), ["wait", "paused", "Nothing is sent until it is resumed."]);
  same(words({state: "of a later version"}), ["off", "of a later version", ""]);
});
test("a pause says when it ends", () => same(/^Nothing is sent until .*\d\d:\d\d.*: x\.$/.test(sinkWords({state: "paused", because: "paused by the operator: x", until: "2026-03-04T09:02:03Z"}).why), true));
test("a pace has its unit", () => same([[1, 1, 3], [20, 60, 1], [5, 3600, null], [20, 90, 0]].map(([max, per, burst]) => paceText({max, per, burst})),
  ["1 a second, bursts of 3", "20 a minute", "5 an hour", "20 in 90 s"]));
test("one at a time, or several", () => same([1, 8].map(concurrencyText), ["one at a time", "up to 8 at a time"]));
test("places that refuse are counted", () => same(placesText([{waiting: 1}, {waiting: 0}]), "2 places refuse what is sent there, 1 delivery waits. Others are delivered."));
test("a sentence begins large and ends", () => same(["no_service", "Is it?", "it waits."].map(sentence), ["No_service.", "Is it?", "It waits."]));

// delivery_filter.js, bulk.js

test("a search that deliveries can be filtered by becomes their filter", () => {
  same(deliveryFilterOf("state:dead,held sink:ops agent:\"billing eu\" after:2h"), {state: "dead,held", sink: "ops", agent: "billing eu", since: "2h"});
  same(deliveryFilterOf("call:c-1 before:2026-03-04"), {call_id: "c-1", until: "2026-03-04T00:00:00Z"});
  same(deliveryFilterOf("status:FAILED state:Dead agent:Billing-* after:2026-03-04T10:00"), {status: "failed", state: "dead", agent: "Billing-*", since: "2026-03-04T10:00"});
});
test("a search that says more is no filter of deliveries", () => {
  for (const search of ["refund", "-sink:ops", "duration:>2m", "sink:ops,crm", "sink:ops sink:crm", "is:unmatched", "after:2h since:3h", "sink:", "sink:op*", "source:b?lna"]) {
    same([search, deliveryFilterOf(search)], [search, null]);
  }
});
test("a filter is said in words", () => same(filterText({state: "dead,fell_back", sink: "ops", since: "2h"}), "state: not delivered (dead) or taken over by the fallback · sink: ops · since: 2h"));

// case_yaml.js

test("a case holds the payload, digit by digit", () => same(makeCase({name: "a failed call reaches ops", source: "bolna", body: '{"id":"c-1","n":12345678901234567890,"f":1.10,"x":NaN,"tags":["a",{}],"e":[],"t":"say \\"no\\"\\u2028\\n"}', at: "2026-03-08T20:00:00.000Z", sinks: ["ops", "on"]}), {yaml: `- name: a failed call reaches ops
  source: bolna
  event: {
      "id": "c-1",
      "n": 12345678901234567890,
      "f": 1.10,
      "x": null,
      "tags": [
        "a",
        {}
      ],
      "e": [],
      "t": "say \\"no\\"\\u2028\\n"
    }
  at: "2026-03-08T20:00:00.000Z"
  expect: [ops, "on"]
`, file: null}));
test("a case without a time and without sinks says so by what it lacks", () => same(makeCase({name: "nobody: wants #1", source: "s", body: "{}", at: null, sinks: []}).yaml, '- name: "nobody: wants #1"\n  source: s\n  event: {}\n  expect: []\n'));
test("a payload that YAML cannot hold lies beside its case", () => {
  for (const body of ["CallSid=CA1&CallStatus=completed", '{"a":1,"a":2}', '{"x":[{"b":{"a":1,"a":2}}]}', '{"a":"\\ud83d"}', "[1]", '{"a":']) {
    const {yaml, file} = makeCase({name: "A form!", source: "twilio", body, at: null, sinks: ["ops"]});
    same([file, yaml], [{name: "events/a-form.txt", text: body}, '- name: "A form!"\n  source: twilio\n  event: events/a-form.txt\n  expect: [ops]\n']);
  }
});
test("a file's name is made of what can be one", () => same(["A call of billing-eu (Sunday) reaches ops", "…", ""].map(fileName), ["a-call-of-billing-eu-sunday-reaches-ops", "event", "event"]));

// try_form.js

test("headers are lines, and masked ones were never sent", () => same(parseHeaders("Content-Type: application/json\n\n X-Trace:1:2 \nX-Secret: ***\nX-Empty:"), {headers: {"Content-Type": "application/json", "X-Trace": "1:2", "X-Empty": ""}, problem: null}));
test("a line that is no header is named", () => same(parseHeaders("Content-Type application/json"), {headers: null, problem: '"Content-Type application/json" is no header; write Name: value.'}));

// case_dialog.js

test("a case has a name that reads well", () => same([nameOf({status: "error", agent: {name: "b"}}, [], null), nameOf({status: "failed"}, ["ops", "crm"], null), nameOf(null, [], null)],
  ["an error call of b reaches nobody", "a failed call of no agent reaches ops and crm", "an unknown call of no agent reaches nobody"]));

// curl.js

test("a command that posts an event again has what its source checks, without its secret", () => {
  const sent = (auth, headers = [], body = "{}") => {
    const request = asSent({url: "http://127.0.0.1:8000/x", headers, body}, auth);
    return [request.url, request.headers.map(({name, value}) => `${name}: ${value}`).join(", "), curlWords(request, "It")];
  };
  const json = "Content-Type: application/json";
  same(sent({kind: "header", name: "X-Secret"}), ["http://127.0.0.1:8000/x", `${json}, X-Secret: ***`, "It (put the secret in place of ***)"]);
  same(sent({kind: "bearer", name: null}), ["http://127.0.0.1:8000/x", `${json}, Authorization: Bearer ***`, "It (put the secret in place of ***)"]);
  same(sent({kind: "query", name: "the token"}), ["http://127.0.0.1:8000/x?the%20token=***", json, "It (put the secret in place of ***)"]);
  same(sent({kind: "none", name: null}, [{name: "content-type", value: "a/b"}]), ["http://127.0.0.1:8000/x", "content-type: a/b", "It"]);
  same([sent(null, [], "CallSid=1&a=b")[1], sent(null, [], "words")[1], sent(null, [], null)[1]], ["Content-Type: application/x-www-form-urlencoded", "Content-Type: text/plain", ""]);
});
