// Unit tests of what operators see and do, that need a document.

import {drawProblems} from "../../core/admin/page/banner.js";
import {h} from "../../core/admin/page/dom.js";
import {makeEditor} from "../../core/admin/page/editor.js";
import {drawHour} from "../../core/admin/page/plot.js";
import {drawRouters} from "../../core/admin/page/routers.js";
import {makeSearchBox} from "../../core/admin/page/search_box.js";
import {drawSink} from "../../core/admin/page/sink_card.js";
import {until} from "./unit_dialogs.js";
import {same, test} from "./unit.js";

const HOSTILE = '<img src=x onerror="window.__hostile = 1"><script>window.__hostile = 1</script>';
const foreign = (element) => element.querySelectorAll("img, script, iframe").length;
const minutes = (counts) => Array.from({length: 60}, (_, i) => counts[i] ?? 0);

test("the last hour is told in words, and drawn without a bar for an empty minute", () => {
  const figure = drawHour({from: "2026-03-04T09:00:00Z", step: 60, delivered: minutes({0: 2, 59: 4}), retried: minutes({59: 2}), dead: minutes({1: 1})});
  same(figure.querySelector("svg").getAttribute("aria-label"), "In the last hour 6 sent, 2 retried, 1 dead; at most 6 in a minute.");
  const bars = (name) => [...figure.querySelectorAll(`rect.${name}`)].map((bar) => [bar.getAttribute("x"), bar.getAttribute("y"), bar.getAttribute("height")]);
  same(bars("sent"), [["0", "23.00", "11.00"], ["236", "12.00", "22.00"]]);
  same(bars("retried"), [["236", "1.00", "11.00"]]);
  same(bars("dead"), [["4", "34.00", "11.00"]]);
});
test("an hour of dead letters only has no highest number of what was sent", () => {
  const figure = drawHour({from: "2026-03-04T09:00:00Z", step: 60, delivered: minutes({}), retried: minutes({}), dead: minutes({1: 2})});
  same([figure.querySelector("svg").getAttribute("aria-label"), figure.querySelector(".axis").textContent], ["In the last hour 0 sent, 0 retried, 2 dead.", "60 m agonow"]);
  same([...figure.querySelectorAll("rect.dead")].map((bar) => bar.getAttribute("height")), ["11.00"]);
});
test("an hour in which nothing was sent says so", () => {
  const figure = drawHour({from: "2026-03-04T09:00:00Z", step: 60, delivered: minutes({}), retried: minutes({}), dead: minutes({})});
  same([figure.querySelector("svg").getAttribute("aria-label"), figure.querySelectorAll("rect").length], ["Nothing was sent in the last hour.", 0]);
});

const sink = {sink: HOSTILE, state: "failing", because: HOSTILE, pending: 2, in_flight: 1, oldest: "2026-03-04T09:00:00Z", until: "2026-03-04T09:00:00Z", places: [{name: HOSTILE, because: HOSTILE, waiting: 1, next_try: "2026-03-04T09:00:00Z"}],
  plugin: "slack", rate: {max: 1, per: 1, burst: 3}, concurrency: 1, fallback: HOSTILE, since: null, last_hour: null};

test("what a sink is called and answered is text", () => {
  const card = drawSink(sink, {dead: {count: 3, more: true}, isMarked: false, changed: () => {}});
  same([foreign(card), card.querySelector("h2").textContent], [0, HOSTILE]);
});
test("a card counts what waits and its dead letters", () => {
  const text = (dead) => [...drawSink({...sink, sink: "ops"}, {dead, isMarked: false, changed: () => {}}).querySelectorAll("dd")].map((value) => value.textContent);
  same([text({count: 3, more: true}).slice(0, 2), text({count: 0, more: false})[1], text({count: 0, more: true})[1], text(null)[1]].flat().map((value) => value.replace(/from .* ago/, "from then")),
    ["2 deliveries, the oldest from then, 1 being sent", "at least 3 not delivered", "none", "none of the latest, look further", "…"]);
});

test("routers that share a journal are listed, and configs that differ are told", () => {
  const one = {name: HOSTILE, version: "1.4.0", config: "9f31c2a7b0de44", lease_age: 1.4, lanes: ["ops", "sales"], this: false};
  const text = (routers) => h("div", {}, drawRouters(routers)).textContent;
  same(text([one]), "");
  const two = h("div", {}, drawRouters([one, {...one, name: "router-2", lanes: [], lease_age: 75, this: true}]));
  same([foreign(two), two.querySelectorAll(".note").length], [0, 0]);
  same([...two.querySelectorAll("tbody tr")].map((row) => [...row.children].map((cell) => cell.textContent)),
    [[HOSTILE, "ops, sales", "9f31c2a7b0de", "1.4.0", "1s ago"], ["router-2 (this one)", "nothing: it takes over if need be", "9f31c2a7b0de", "1.4.0", "1m 15s ago"]]);
  same(text([one, {...one, config: "0b77"}]).includes("They run different configs"), true);
});

const problem = {severity: "error", kind: "sink", name: "ops", since: "2026-03-04T09:00:00Z", text: HOSTILE, hint: "Make a new webhook."};

test("problems are lines of the banner, and there is none without them", () => {
  const banner = h("div", {hidden: true});
  drawProblems(banner, [problem, {...problem, kind: "config", name: "x", severity: "warning", text: "it failed", hint: null}]);
  same([banner.hidden, banner.children.length, foreign(banner), banner.querySelectorAll("[aria-expanded]").length], [false, 2, 0, 1]);
  drawProblems(banner, []);
  same([banner.hidden, banner.children.length], [true, 0]);
});
test("two problems of one sink are two lines, however often they are read, and each goes with its problem", () => {
  const banner = h("div", {});
  const places = [{...problem, since: null, text: "ops is refused at C1"}, {...problem, since: null, text: "ops is refused at C2"}];
  const lines = () => [...banner.querySelectorAll(".sentence")].map((line) => line.textContent);
  for (const waits of [1, 2]) drawProblems(banner, places.map((place) => ({...place, text: `${place.text}; ${waits} wait`})));
  same(lines(), ["ops is refused at C1; 2 wait", "ops is refused at C2; 2 wait"]);
  drawProblems(banner, [places[1]]);
  same(lines(), ["ops is refused at C2"]);
  drawProblems(banner, []);
});
test("an open hint stays open while its problem lasts, also when its text changes", () => {
  const banner = h("div", {});
  drawProblems(banner, [problem]);
  const line = banner.firstChild;
  banner.querySelector("[aria-expanded]").click();
  drawProblems(banner, [{...problem}]);
  same([banner.firstChild === line, banner.querySelector(".hint-text").hidden], [true, false]);
  drawProblems(banner, [{...problem, text: "15 wait."}]);
  same([banner.querySelector(".sentence").textContent, banner.querySelector(".hint-text").hidden], ["15 wait.", false]);
  drawProblems(banner, []);
});

test("the editor numbers its lines and puts the caret where the mark is", () => {
  const editor = makeEditor({id: "e", label: "Payload", placeholder: "", oninput: () => {}});
  document.body.append(editor.element);
  editor.set('{\n  "é😀": 1\n  "b": 2\n}');
  editor.mark({line: 2, column: 5});
  editor.goTo({line: 2, column: 5});
  const found = [editor.element.querySelector(".numbers").textContent, editor.input.getAttribute("aria-invalid"), editor.input.value.slice(editor.input.selectionStart, editor.input.selectionStart + 2)];
  editor.mark(null);
  const after = [editor.input.getAttribute("aria-invalid"), editor.element.querySelector(".stripe").hidden];
  editor.element.remove();
  same([found, after], [["1\n2\n3\n4\n", "true", "😀"], ["false", true]]);
});

test("a suggestion is taken by a click, not by a finger that begins to scroll", async () => {
  const real = window.fetch;
  window.fetch = async () => new Response(JSON.stringify({from: 0, to: 2, suggestions: [{text: "status:", kind: "key", label: "status"}, {text: "status:failed", kind: "value", label: "failed"}]}));
  const found = [];
  const box = makeSearchBox((text) => found.push(text));
  document.body.append(box.element);
  try {
    const input = box.element.querySelector("input");
    input.focus();
    input.value = "st";
    input.dispatchEvent(new Event("input"));
    const option = await until(() => box.element.querySelectorAll("[role=option]")[1]);
    option.dispatchEvent(new PointerEvent("pointerdown", {bubbles: true, cancelable: true}));
    same([found, option.dispatchEvent(new MouseEvent("mousedown", {bubbles: true, cancelable: true}))], [[], false]);
    option.click();
    same(found, ["status:failed"]);
  } finally {
    window.fetch = real;
    box.element.remove();
  }
});
