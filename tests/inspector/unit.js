// Unit tests of the page's modules. In a browser unit.html runs them all and leaves {passed, failed: [texts]} in
// window.__results; `node --experimental-default-type=module unit.js` runs those that need no document.

import {CallRows} from "../../core/admin/page/call_rows.js";
import {isSlackMessage, limitsOf} from "../../core/admin/page/block_kit.js";
import {curlOf, parseRequest, shellWord} from "../../core/admin/page/curl.js";
import {diffLines, diffNodes} from "../../core/admin/page/diff.js";
import {isExact, readJson, readValue} from "../../core/admin/page/json_read.js";
import {keepShown} from "../../core/admin/page/mask.js";
import {parseMrkdwn} from "../../core/admin/page/mrkdwn.js";
import {makeRefresh} from "../../core/admin/page/refresh.js";
import {fromCodePoints, quoted, refusedFilter, terms, toCodePoints, withTerm, withoutKey} from "../../core/admin/page/search_text.js";
import {href, parse, register, registerUnknown} from "../../core/admin/page/router.js";
import {agoText, countText, durationText, msText} from "../../core/admin/page/time.js";
import {outcomeWords, plural} from "../../core/admin/page/words.js";

export const tests = [];
export function test(name, run) {
  tests.push({name, run});
}

export function same(found, wanted) {
  const a = JSON.stringify(found);
  const b = JSON.stringify(wanted);
  if (a !== b) throw new Error(`found ${a}\n  wanted ${b}`);
}

// json_read.js

const read = (text) => {
  const {root, error} = readJson(text);
  if (error) throw new Error(error.message);
  return root;
};
const numbers = (text) => read(text).items.map((node) => node.text);

test("a number keeps its digits", () => same(numbers("[12345678901234567890123, 1.10, -0, 1E400, 0.30000000000000004]"), ["12345678901234567890123", "1.10", "-0", "1E400", "0.30000000000000004"]));
test("a number of a thousand digits is one number", () => same(read("[" + "9".repeat(1000) + "]").items[0].text.length, 1000));
test("NaN and Infinity, which some senders write, are read", () => same(numbers("[NaN, -Infinity, Infinity]"), ["NaN", "-Infinity", "Infinity"]));
test("a value is exact where a double is", () => same(readValue('{"a": 1.50, "b": 12345678901234567890, "c": 9007199254740993, "d": 1e3}'), {a: 1.5, b: {exact: "12345678901234567890"}, c: {exact: "9007199254740993"}, d: 1000}));
test("a number is exact if a double writes the same digits", () => same(["0", "0.10", "1e2", "100", "-3.94", "0.1", "1e400", "123456789012345678"].map(isExact), [true, true, true, true, true, true, false, false]));
test("keys keep their order, and come twice if they do", () => same(read('{"b":1,"a":2,"b":3,"1":4}').entries.map(({key}) => key), ["b", "a", "b", "1"]));
test("a key __proto__ is a key like any other", () => {
  const value = readValue('{"__proto__": {"x": 1}}');
  same([Object.keys(value), value.x], [["__proto__"], undefined]);
});
test("a value knows its place", () => {
  const text = ' {"a": [1, "b"]}';
  const {value} = read(text).entries[0];
  same([text.slice(value.from, value.to), text.slice(value.items[1].from, value.items[1].to)], ['[1, "b"]', '"b"']);
});
test("escapes are read", () => same(readValue('"\\u00e9\\n\\"\\\\\\/\\ud83d\\ude00"'), "é\n\"\\/😀"));
const errorAt = (text) => {
  const {error} = readJson(text);
  return error && [error.line, error.column, error.message];
};
test("an error has its line and column", () => {
  same(errorAt('{\n  "a": 1\n  "b": 2\n}'), [3, 3, 'a comma or } is expected before "']);
  same(errorAt('{"a": tru}'), [1, 7, "a value is expected before t"]);
  same(errorAt('{"é😀": }'), [1, 8, "a value is expected before }"]);
  same(errorAt(""), [1, 1, "a value is expected, but the text ends"]);
  same(errorAt('["a'), [1, 2, "this text in quotes has no end"]);
  same(errorAt("[1] x"), [1, 5, "the JSON ends here, but more text follows"]);
  same(errorAt("[01]"), [1, 3, "a comma or ] is expected before 1"]);
  same(errorAt('["a\nb"]'), [1, 4, "a control character in a text must be written as an escape"]);
  same(errorAt('["\\x"]'), [1, 3, "this is no escape that JSON knows"]);
});
test("nesting without end is an error, not a crash", () => same(errorAt("[".repeat(100000))?.[2], "it is nested more than 500 deep"));
test("what JSON.parse reads is read the same", () => {
  for (const text of ["0", "-1.5e-3", '"x"', "[]", "{}", " [ 1 , {\"a\" : null } , true ] ", '{"a":{"b":[false]}}', "\ufeff1".slice(1)]) same(readValue(text), JSON.parse(text));
});

// diff.js

const changes = (a, b) => diffNodes(read(a), read(b)).map(({path, kind}) => `${kind} ${path}`);
test("equal payloads have no differences", () => same(changes('{"a":1,"b":[1.0,2]}', '{"b":[1,2.00],"a":1}'), []));
test("changes have their paths", () => same(changes('{"a":{"b":1,"c":2},"x y":1}', '{"a":{"b":2,"d":3},"x y":2}'), ["changed a.b", "added a.d", "removed a.c", 'changed ["x y"]']));
test("an item put into a list does not change those after it", () => same(changes("[1,2,3]", "[1,9,2,3]"), ["added [1]"]));
test("a changed item of a list is looked into", () => same(changes('{"t":[{"r":"a","n":1},{"r":"b"}]}', '{"t":[{"r":"a","n":2},{"r":"b"}]}'), ["changed t[0].n"]));
test("big numbers that differ in their last digit differ", () => same(changes("[12345678901234567890]", "[12345678901234567891]"), ["changed [0]"]));
test("another kind of value is a change", () => same(changes('{"a":[]}', '{"a":{}}'), ["changed a"]));
test("a key that comes twice is compared twice", () => same(changes('{"a":1,"a":2}', '{"a":1,"a":3}'), ["changed a"]));
const lines = (a, b) => diffLines(a, b).map(({kind, text}) => ({same: " ", added: "+", removed: "-"})[kind] + text);
test("lines are aligned", () => {
  same(lines("a\nb\nc", "a\nx\nc\nd"), [" a", "-b", "+x", " c", "+d"]);
  same(lines("a", "a"), [" a"]);
  same(lines("", "a"), ["-", "+a"]);
  same(lines("1\n2\n3\n4", "2\n4\n5"), ["-1", " 2", "-3", " 4", "+5"]);
});
test("the lines of both texts come out of a difference, whatever they are", () => {
  let seed = 1;
  const random = (n) => (seed = seed * 48271 % 2147483647) % n;
  for (let round = 0; round < 300; ++round) {
    const text = () => Array.from({length: random(8)}, () => "abc"[random(3)]).join("\n");
    const [a, b] = [text(), text()];
    const all = diffLines(a, b);
    same(all.filter(({kind}) => kind !== "added").map(({text}) => text).join("\n"), a);
    same(all.filter(({kind}) => kind !== "removed").map(({text}) => text).join("\n"), b);
  }
});

// mrkdwn.js

const brief = (nodes) => nodes.map((node) => node.nodes ? `${node.kind}(${brief(node.nodes)})` : node.kind === "break" ? "/" : node.kind === "text" ? node.text : `${node.kind}[${node.text}${node.url && node.url !== node.text ? " " + node.url : ""}]`).join("");
const slack = (text) => brief(parseMrkdwn(text));
test("bold, italic, struck, code", () => same(slack("*a b* _c_ ~d~ `e`"), "bold(a b) italic(c) strike(d) code[e]"));
test("marks nest", () => same(slack("*_a_ b*"), "bold(italic(a) b)"));
test("marks inside a word are text", () => same(slack("a*b*c 2*3*4 snake_case_name"), "a*b*c 2*3*4 snake_case_name"));
test("a mark without its other half is text", () => same(slack("*a _b ~ c *"), "*a _b ~ c *"));
test("marks do not reach over lines", () => same(slack("*a\nb*"), "*a/b*"));
test("nothing is formatted in code", () => same(slack("`*a*` ```*b*\n<c>```"), "code[*a*] block[*b*\n<c>]"));
test("a fence without an end is text", () => same(slack("``` a"), "``` a"));
test("three entities are known, each once", () => same(slack("&lt;b&gt; &amp;lt; &nbsp; &quot;"), "<b> &lt; &nbsp; &quot;"));
test("a link shows its address", () => same(slack("<https://a.test/?b=1&amp;c=2|here> <https://a.test>"), "link[here https://a.test/?b=1&c=2] link[https://a.test]"));
test("an address of any scheme is only text", () => same(slack("<javascript:alert(1)|click>"), "link[click javascript:alert(1)]"));
test("mentions are text", () => same(slack("<!here> <@U1> <@U1|ana> <#C1|ops> <!subteam^S1|@team>"), "mention[@here] mention[@U1] mention[@ana] mention[#ops] mention[@team]"));
test("emoji stay names", () => same(slack(":wave: a:b:c 10:30:00"), "emoji[:wave:] aemoji[:b:]c 10emoji[:30:]00"));
test("quotes are gathered", () => same(slack("&gt; a\n> b\nc"), "quote(a/b)c"));
test("a date of an unknown form is its fallback", () => same(slack("<!date^1392734382^{nope}|Feb 18>"), "date[Feb 18]"));
test("HTML is text", () => same(slack("<b>x</b> &lt;script&gt;"), "link[b]xlink[/b] <script>"));

// block_kit.js

const limits = (message) => limitsOf(message).map(({what, used, most}) => `${what} ${used}/${most}`);
test("limits are counted in characters as they are sent", () => same(limits({blocks: [{type: "header", text: {type: "plain_text", text: "😀é"}}, {type: "section", text: {type: "mrkdwn", text: "&amp;" + "x".repeat(2995)}}]}), ["section text 3000/3000", "blocks 2/50", "header 2/150"]));
test("of several texts the longest counts", () => same(limits({blocks: [{type: "section", fields: [{text: "a"}, {text: "abc"}]}]})[1], "blocks 1/50"));
test("a Slack message is told by its blocks, or its address", () => same([isSlackMessage({blocks: []}), isSlackMessage({text: "a"}, "https://hooks.slack.com/x"), isSlackMessage({text: "a"}, "https://slack.com.evil.test/"), isSlackMessage([]), isSlackMessage(null)], [true, true, false, false, false]));

// curl.js

test("a word of a shell is quoted", () => {
  same(["a.b", "a b", "it's", "$(x)`y`", "", "@file"].map(shellWord), ["a.b", "'a b'", "'it'\\''s'", "'$(x)`y`'", "''", "@file"]);
  same(shellWord("a\x1b[31m'\r\n"), "$'a\\x1b[31m\\'\\x0d\\n'");
});
test("a curl command leaves out what curl sets itself", () => same(curlOf({url: "http://a/b", headers: [{name: "Host", value: "x"}, {name: "Content-Length", value: "3"}, {name: "X-A", value: "1 2"}, {name: "X-Empty", value: ""}], body: '{"a":"it\'s"}'}),
  "curl -sS http://a/b \\\n  -H 'X-A: 1 2' \\\n  -H 'X-Empty;' \\\n  --data-raw '{\"a\":\"it'\\''s\"}'"));
test("bytes that are no text go through base64", () => same(curlOf({url: "http://a", body: null, base64: "/w=="}), "printf %s /w== | base64 -d | curl -sS http://a \\\n  --data-binary @-"));
test("a kept request is taken apart", () => same(parseRequest("POST https://a/b\nContent-Type: x\n\n{}\n\nmore... (cut)"), {method: "POST", url: "https://a/b", headers: [{name: "Content-Type", value: "x"}], body: "{}\n\nmore", cut: true}));

// search_text.js

const parts = (text) => terms(text).map(({negated, key, value}) => `${negated ? "-" : ""}${key ?? ""}=${value}`);
test("a search is taken apart", () => same(parts('agent:billing-eu -status:failed "two words" text:"a \\"b\\"" data.General.Score:>80 word'), ["agent=billing-eu", "-status=failed", "=two words", 'text=a "b"', "data.General.Score=>80", "=word"]));
test("an open quote takes the rest", () => same(parts('a "b c'), ["=a", "=b c"]));
test("a bare word with a dash in it is a word", () => same(parts("no-answer - x:"), ["=no-answer", "-=", "x="]));
test("every term has its place", () => {
  const text = "  a:b   -c:\"d e\" f";
  same(terms(text).map(({from, to}) => text.slice(from, to)), ["a:b", '-c:"d e"', "f"]);
});
test("a term takes the place of others of its key", () => same([withTerm("agent:a status:x", "agent", "b c"), withoutKey("agent:a x", "agent"), withTerm("", "call", 'a"b')], ['status:x agent:"b c"', "x", 'call:"a\\"b"']));
test("what stands behind a key is quoted if it must be", () => same(["a-b", "a b", "a,b", 'a"b'].map(quoted), ["a-b", '"a b"', '"a,b"', '"a\\"b"']));
test("offsets are counted in characters", () => same([toCodePoints("😀a", 2), fromCodePoints("😀a", 1), fromCodePoints("😀a", 2)], [1, 2, 3]));
test("refused requests are shown where the search allows", () => {
  const one = {source: "bolna", at: "2026-03-04T09:00:00Z"};
  const now = Date.parse("2026-03-04T10:00:00Z");
  const fits = (text) => {
    const {show, only, fits: test} = refusedFilter(text, now);
    return [show, only, show && test(one)];
  };
  same(fits(""), [true, false, true]);
  same(fits("is:refused"), [true, true, true]);
  same(fits("-is:refused"), [false, false, false]);
  same(fits("is:unmatched"), [false, false, false]);
  same(fits("source:bolna,retell after:2h"), [true, false, true]);
  same(fits("source:retell"), [true, false, false]);
  same(fits("-source:bolna"), [true, false, false]);
  same(fits("after:30m"), [true, false, false]);
  same(fits("before:2026-03-04T08:00:00Z"), [true, false, false]);
  same(fits("source:bol*"), [true, false, true]);
  same(fits("-source:b?lna"), [true, false, false]);
  same(fits("source:bol.*"), [true, false, false]);
  same(fits("before:2026-03-04T09:00:01 after:2026-03-04T08:59:59"), [true, false, true]);
  same(fits("before:2026-03-04T09:00:01+02:00"), [true, false, false]);
  same(fits("agent:x"), [false, false, false]);
  same(fits("refund"), [false, false, false]);
});

// router.js, time.js, words.js

test("an address is made and read again", () => {
  const view = {path: "/event/:id"};
  register(view);
  registerUnknown({path: ""});
  const address = href("/event/:id", {id: "a/b ?#é"}, {rev: 2, raw: null, sort: true});
  same(address, "#/event/a%2Fb%20%3F%23%C3%A9?rev=2&sort=1");
  const {view: found, params, query} = parse(address);
  same([found === view, params, query], [true, {id: "a/b ?#é"}, {rev: "2", sort: "1"}]);
  same(parse("#/nope").view.path, "");
  same(parse("#/event/%E0%A4%A").params.id, "%E0%A4%A");
});
test("times and durations are short", () => {
  const now = Date.parse("2026-03-04T10:00:00Z");
  same([0, 40, 200, 7300, 200000, -90].map((s) => agoText(new Date(now - s * 1000), now)), ["now", "40 s ago", "3 m ago", "2 h ago", "2 d ago", "in 1 m"]);
  same([0, 27.2, 73, 3600, 90000, null].map(durationText), ["0s", "27s", "1m 13s", "1h 0m", "1d 1h", "–"]);
  same([84.4, 1240, 61000, null].map(msText), ["84 ms", "1.2 s", "1m 1s", "–"]);
  same([0, 999, 1000, 1234567].map(countText), ["0", "999", "1,000", "1,234,567"]);
  same([plural(1, "event"), plural(20000, "event"), plural(2, "delivery", "deliveries")], ["1 event", "20,000 events", "2 deliveries"]);
});
test("every state of a delivery has words", () => {
  const words = (state, more) => outcomeWords({state, attempts: 0, latency_ms: null, ...more}).text;
  same(words("delivered", {attempts: 1, latency_ms: 84}), "delivered in 84 ms");
  same(words("pending"), "waits to be sent");
  same(words("pending", {attempts: 2}), "will be tried again after 2 attempts");
  same(words("held", {held_by: "paused"}), "waits: the sink is paused");
  same(words("dead", {attempts: [1, 2, 3]}), "not delivered, gave up after 3 attempts");
  same(["canceled", "fell_back", "merged"].map((state) => words(state)), ["canceled", "not delivered, its fallback took over", "part of a digest"]);
});

test("what was shown for an event stays when it is read again", () => {
  const attempt = (number, request) => ({number, request, response: request && "HTTP 200"});
  const old = {raw: "{}", fields: [1], masked: [], state: "pending", deliveries: [{id: "d-1", state: "pending", attempts: [attempt(1, "POST a")]}]};
  const next = {raw: null, fields: [null], masked: ["raw"], deliveries: [{id: "d-1", state: "delivered", attempts: [attempt(1, null), attempt(2, null)]}]};
  const {raw, fields, masked, deliveries} = keepShown(old, next);
  same([raw, fields, masked, deliveries[0].state, deliveries[0].attempts], ["{}", [1], [], "delivered", [attempt(1, "POST a"), {number: 2, request: null, response: null}]]);
});

// call_rows.js

const ofCall = (n, more = {}) => ({id: `e${n}`, call_id: "c1", source: "bolna", received_at: new Date(Date.UTC(2026, 2, 4) + n).toISOString(), status: "ringing", duration: null, agent: "a",
  outcomes: [{id: `d${n}`, sink: "ops", state: "pending", attempts: 0, latency_ms: null}], ...more});
const saysOf = ({events, status, outcomes}) => [events, status, ...outcomes.map(({sink, state, times}) => `${sink} ${state} ${times}`)];
test("a call is a row that says how it stands, and a delivery changes it", () => {
  const calls = new CallRows();
  for (const n of [3, 2, 1]) calls.take(ofCall(n), false);
  calls.take(ofCall(9, {id: "x", call_id: null}), false);
  const [before] = calls.rows();
  same([saysOf(before), calls.seen, calls.rows()[0] === before], [[3, "ringing", "ops pending 3"], 4, true]);
  calls.update({id: "d2", event: "e2", sink: "ops", state: "delivered", attempts: 1, latency_ms: 84});
  calls.update({id: "d7", event: "e7", sink: "ops", state: "dead", attempts: 1, latency_ms: null});
  calls.take(ofCall(4, {status: "completed", duration: 27, agent: null, outcomes: []}), true);
  calls.take(ofCall(1, {status: "failed", revised: true}), true);
  const [after] = calls.rows();
  same([saysOf(after), after.agent, after.duration], [[4, "completed", "ops pending 2", "ops delivered 1"], "a", 27]);
});
test("the page of the router that was read before says nothing new", () => {
  const calls = new CallRows();
  calls.take(ofCall(1, {outcomes: []}), true);
  calls.update({id: "d1", event: "e1", sink: "ops", state: "delivered", attempts: 1, latency_ms: 84});
  calls.take(ofCall(1), false);
  same(saysOf(calls.rows()[0]), [1, "ringing", "ops delivered 1"]);
});
test("the oldest calls give way to what comes in for hours", () => {
  const calls = new CallRows();
  calls.take(ofCall(0, {call_id: "old"}), false);
  for (let n = 1; n <= 20000; ++n) calls.take(ofCall(n, {call_id: n % 4 === 0 ? null : `c${n % 4}`, outcomes: []}), true);
  same([calls.rows().map(({call_id}) => call_id), calls.seen], [["c3", "c2", "c1", "old"], 15001]);
  for (let n = 1; n <= 5000; ++n) calls.take(ofCall(30000 + n, {call_id: "c4", outcomes: []}), true);
  same([calls.rows().map(({call_id}) => call_id), calls.isFull, calls.hasRoom, calls.seen], [["c4", "c3", "c2"], true, false, 15000]);
});

// refresh.js

const rest = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
test("what changes all the time is read again all the same", async () => {
  let reads = 0;
  const refresh = makeRefresh(async () => void ++reads, {soonMs: 20});
  const until = Date.now() + 10000;
  for (let calls = 0; reads < 2 && Date.now() < until; ++calls) {
    refresh.soon();
    await rest(5);
  }
  refresh.end();
  same(reads, 2);
});
test("one read at a time, and what was asked for meanwhile is one more", async () => {
  const log = [];
  const answers = [];
  const refresh = makeRefresh(() => {
    const number = log.push("asked") - 1;
    return new Promise((resolve) => answers.push(resolve)).then(() => log[number] = "answered");
  }, {soonMs: 0});
  const first = refresh.now();
  const second = refresh.now();
  const third = refresh.now();
  same([log, second === third], [["asked"], true]);
  answers[0]();
  await first;
  await rest(0);
  same(log, ["answered", "asked"]);
  answers[1]();
  await third;
  refresh.end();
  await refresh.now();
  same(log, ["answered", "answered"]);
});

async function runAll() {
  await import("./unit_operate.js");
  if (typeof document !== "undefined") {
    await import("./unit_dom.js");
    await import("./unit_operate_dom.js");
    await import("./unit_dialogs.js");
    await import("./unit_views.js");
  }
  const failed = [];
  for (const {name, run} of tests) {
    try {
      await run();
    } catch (error) {
      failed.push(`${name}: ${error.message}`);
    }
  }
  const results = {passed: tests.length - failed.length, failed};
  if (typeof window !== "undefined") window.__results = results;
  else {
    for (const text of failed) console.error(text);
    console.log(`${results.passed} passed, ${failed.length} failed`);
    process.exit(failed.length === 0 ? 0 : 1);
  }
  return results;
}

runAll();
