// Unit tests of views, with a router and a stream that are made up. They need a document.

import {h} from "../../core/admin/page/dom.js";
import {useBodies} from "../../core/admin/page/mask.js";
import {refreshStatus} from "../../core/admin/page/status.js";
import {connect, disconnect} from "../../core/admin/page/stream.js";
import compare from "../../core/admin/page/views/compare.js";
import deliveries from "../../core/admin/page/views/deliveries.js";
import eventView from "../../core/admin/page/views/event.js";
import tryView from "../../core/admin/page/views/try.js";
import {until} from "./unit_dialogs.js";
import {same, test} from "./unit.js";

// A stream that says what a test lets it say.
class Source extends EventTarget {
  constructor() {
    super();
    Source.last = this;
  }
  close() {}
  static say(kind, data) {
    Source.last.dispatchEvent(new MessageEvent(kind, {data: JSON.stringify(data)}));
  }
}

// Runs `use(place, asked)` with the view drawn in `place`; `answers` has functions by the beginning of "GET path", each
// of which answers a value or throws [status, body].
async function withView(view, given, answers, use) {
  const real = [window.fetch, window.EventSource];
  const asked = [];
  window.EventSource = Source;
  window.fetch = async (url, {method, body}) => {
    const what = `${method} ${String(url).replace(/^api\/v1\//, "")}`;
    asked.push([what, body ? JSON.parse(body) : null]);
    const key = Object.keys(answers).filter((one) => what.startsWith(one)).sort((a, b) => b.length - a.length)[0];
    try {
      return new Response(JSON.stringify(answers[key](what)));
    } catch (refusal) {
      if (!Array.isArray(refusal)) throw refusal;
      return new Response(JSON.stringify(refusal[1]), {status: refusal[0]});
    }
  };
  const place = document.body.appendChild(h("main"));
  connect();
  const instance = view.render(place, {params: {}, query: {}, ...given});
  try {
    await use(place, asked);
  } finally {
    instance?.dispose?.();
    disconnect();
    place.remove();
    [window.fetch, window.EventSource] = real;
  }
}

const button = (place, text) => [...place.querySelectorAll("button")].find((one) => one.textContent.startsWith(text));
const whole = {id: "e-1", received_at: "2026-03-04T09:00:00Z", source: "bolna", call_id: null, agent: "a", status: "ringing", duration: null, note: null, stage: "live", masked: [], raw: '{"a":1}', raw_base64: null, headers: [],
  fields: [{field: "status", value: "ringing", path: "status"}, {field: "summary", value: "words", path: "summary"}], normalized_because: null, routing: {rules: [], deliveries: []}, routing_now: {as_of: "2026-03-04T09:00:00Z", rules: [], deliveries: []}, routing_because: null,
  config: null, deliveries: [], revisions: []};
const withheld = (event) => ({...event, masked: ["raw", "normalized.summary"], raw: null, fields: event.fields.map((one) => one.field === "summary" ? {...one, value: null} : one)});
const status = {may: "change", bodies: "full", problems: []};

test("an event's page learns late who may change something, hears of a reload, and survives a failed reading", () => {
  let event = withheld(whole);
  let may = "read";
  let fails = false;
  const read = () => {
    if (fails) throw [503, {error: "busy", detail: "the journal is busy"}];
    return {...event, routing_now: {...event.routing_now, as_of: new Date().toISOString()}};
  };
  return withView(eventView, {params: {id: "e-1"}}, {"GET events/e-1": read, "GET status": () => ({...status, may})}, async (place) => {
    await until(() => button(place, "Replay by"));
    await refreshStatus();
    const early = [button(place, "Replay by").disabled, button(place, "Replay by").title];
    may = "change";
    await refreshStatus();
    same([early, button(place, "Replay by").disabled], [[true, "This token may only read."], false]);

    const came = place.querySelector("[aria-labelledby=came]");
    event = {...event, deliveries: [{id: "d-1", sink: "ops", state: "dead", rule: "r", attempts: []}]};
    Source.say("delivery", {event: "e-1", id: "d-1"});
    await until(() => place.querySelector("#d-1"));
    same([place.querySelector("[aria-labelledby=came]") === came, place.querySelector(".summary").textContent], [true, "1 delivery: ops not delivered, gave up."]);

    event = {...event, status: "completed", fields: [{field: "status", value: "completed", path: "status"}], revisions: [{number: 1, until: "2026-03-04T09:00:05Z", raw: null, headers: []}]};
    Source.say("event", {id: "e-1"});
    await until(() => place.querySelector("h1").textContent.startsWith("completed"));
    same([place.querySelector(".fields td").textContent, place.querySelectorAll(".versions a").length > 0], ["completed", true]);

    fails = true;
    Source.say("reload", {});
    await until(() => !place.querySelector(".event > .problem").hidden);
    same([place.querySelector(".event > .problem").textContent, place.querySelector("#d-1") !== null], ["What stands here may be old: The journal is busy", true]);
    fails = false;
    event = {...event, routing_now: {...event.routing_now, rules: [{name: "of-now", matched: true, sinks: ["crm"], conditions: []}], deliveries: [{sink: "crm", rule: "of-now"}]}};
    button(place, "Replay by").click();
    const dialog = await until(() => document.querySelector("dialog[open]"));
    same([dialog.textContent.includes("to crm by the rule of-now"), place.querySelector(".event > .problem").hidden, place.querySelector("[aria-labelledby=rules]").textContent.includes("also to crm")], [true, true, true]);
    dialog.close();
  });
});
test("an event that cannot be read at first is shown as soon as it can", () => {
  let fails = true;
  const read = () => {
    if (fails) throw [503, {error: "busy", detail: "the journal is busy"}];
    return whole;
  };
  return withView(eventView, {params: {id: "e-1"}}, {"GET events/e-1": read}, async (place) => {
    await until(() => place.textContent.includes("This event cannot be shown"));
    fails = false;
    Source.say("gap", {kinds: ["event"]});
    await until(() => place.querySelector("#came"));
    same(place.textContent.includes("cannot be shown"), false);
  });
});
test("an event late in a long call stands on its time line", () => {
  const one = (n) => ({id: `e-${n}`, received_at: `2026-03-04T09:00:0${n}Z`, status: "ringing", outcomes: []});
  return withView(eventView, {params: {id: "e-9"}}, {
    "GET events/e-9": () => ({...whole, id: "e-9", received_at: "2026-03-04T09:00:09Z", call_id: "c"}),
    "GET calls/c": () => ({count: 500, first: "2026-03-04T09:00:00Z", last: "2026-03-04T09:10:00Z", events: [one(0)]}),
    "GET events?": () => ({events: [one(9), one(8)], cursor: "x"}),
  }, async (place, asked) => {
    await until(() => place.querySelector(".timeline"));
    same([...place.querySelectorAll(".timeline li")].map((line) => line.getAttribute("aria-current")), [null, "true"]);
    same(new URLSearchParams(asked.find(([what]) => what.startsWith("GET events?"))[0].split("?")[1]).get("until"), "2026-03-04T09:00:09.001Z");
  });
});
test("two events that the config hides are said to be hidden, and compared when asked for", async () => {
  useBodies("masked");
  const other = {...whole, id: "e-2", raw: '{"a":2}', fields: [{field: "status", value: "ringing", path: "status"}, {field: "summary", value: "other words", path: "summary"}]};
  const events = {"e-1": whole, "e-2": other};
  const find = (what) => events[/e-\d/.exec(what)[0]];
  await withView(compare, {query: {a: "e-1", b: "e-2"}}, {"GET events/": (what) => withheld(find(what)), "POST events/": find}, async (place) => {
    await until(() => button(place, "Show for these two"));
    same([place.textContent.includes("Who shows it, and when, is kept"), [...place.querySelectorAll("td")].slice(-2).map((cell) => cell.textContent)], [true, ["hidden", "hidden"]]);
    button(place, "Show for these two").click();
    await until(() => place.querySelector("table.diff td.mono"));
    same([...place.querySelectorAll("table.diff td")].slice(-2).map((cell) => cell.textContent), ["words", "other words"]);
  }).finally(() => useBodies("full"));
});
test("what Try was allowed to show is tried as it is shown, and saved as it was tried", async () => {
  useBodies("masked");
  const explained = {event: {status: "ringing"}, fields: whole.fields, rules: [], deliveries: [], messages: []};
  await withView(tryView, {query: {event: "e-1"}}, {
    "GET events/e-1": () => withheld(whole), "POST events/e-1/unmask": () => whole, "GET sources": () => ({sources: [{name: "bolna"}]}), "POST explain": () => explained,
  }, async (place, asked) => {
    await until(() => button(place, "Show for this event"));
    same(asked.filter(([what]) => what.startsWith("POST explain")).at(-1)[1], {messages: false, event: "e-1"});
    button(place, "Show for this event").click();
    await until(() => button(place, "Save as") && !button(place, "Save as").disabled);
    same(asked.filter(([what]) => what.startsWith("POST explain")).at(-1)[1], {messages: true, at: "2026-03-04T09:00:00Z", source: "bolna", body: '{"a":1}', headers: {}});
    const body = place.querySelector("#try-body");
    body.value = '{"a":2}';
    body.dispatchEvent(new Event("input"));
    same(button(place, "Save as").disabled, true);
  }).finally(() => useBodies("full"));
});
test("what the page hides is not quoted by Try either", () => {
  const explained = {event: {status: "ringing"}, fields: [], rules: [], deliveries: [], messages: null};
  return withView(tryView, {query: {event: "e-3"}}, {"GET events/e-3": () => ({...withheld(whole), id: "e-3"}), "GET sources": () => ({sources: []}), "POST explain": () => explained}, async (place, asked) => {
    await until(() => button(place, "Show"));
    same(asked.filter(([what]) => what.startsWith("POST explain")).at(-1)[0], "POST explain?mask=true");
  });
});
test("a list of deliveries that cannot be read says why, keeps its rows, and its buttons keep the focus", () => {
  let fails = true;
  const row = (n) => ({id: `d-${n}`, event: `e-${n}`, sink: "ops", rule: "r", state: "dead", status: "failed", attempts: 1, accepted_at: "2026-03-04T09:00:00Z"});
  let rows = [row(1)];
  const read = () => {
    if (fails) throw [400, {error: "invalid_filter", detail: 'since: "x" is no time'}];
    return {deliveries: rows, cursor: null};
  };
  return withView(deliveries, {query: {state: "Dead", since: "2026-03-04"}}, {"GET deliveries": read, "GET status": () => status, "GET sinks": () => ({sinks: []}), "GET rules": () => ({rules: []})}, async (place, asked) => {
    await refreshStatus();
    const foot = place.querySelector(".foot");
    await until(() => foot.textContent.includes("is no time"));
    await refreshStatus();
    same([foot.textContent.includes("is no time"), asked.find(([what]) => what.startsWith("GET deliveries"))[0]], [true, "GET deliveries?state=dead&since=2026-03-04T00%3A00%3A00Z&limit=200"]);
    fails = false;
    button(place, "Try again").click();
    await until(() => place.querySelectorAll(".list .row").length === 1);
    button(place, "Purge all").focus();
    await refreshStatus();
    same([document.activeElement.textContent, foot.textContent], ["Purge all…", "1 delivery matches."]);
    rows = [row(2), row(1)];
    for (let i = 0; i < 3; ++i) Source.say("gap", {kinds: ["delivery"]});
    same(place.querySelectorAll(".list .row").length, 1);
    await until(() => place.querySelectorAll(".list .row").length === 2);
    same(asked.filter(([what]) => what.startsWith("GET deliveries")).length, 3);
  });
});
