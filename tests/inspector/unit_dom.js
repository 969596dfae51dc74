// Unit tests that need a document.

import {drawBody, drawDiff} from "../../core/admin/page/body.js";
import {h, keyed} from "../../core/admin/page/dom.js";
import {drawTree} from "../../core/admin/page/json_tree.js";
import {readJson} from "../../core/admin/page/json_read.js";
import {makeList} from "../../core/admin/page/list.js";
import {LiveStore} from "../../core/admin/page/live_store.js";
import {drawRequest} from "../../core/admin/page/message_view.js";
import {drawSlack} from "../../core/admin/page/slack.js";
import {connect, disconnect, on, streamState} from "../../core/admin/page/stream.js";
import {same, test} from "./unit.js";

const HOSTILE = '<img src=x onerror="window.__hostile = 1"><script>window.__hostile = 1</script>';
const foreign = (element) => element.querySelectorAll("img, script, iframe, a[href]").length;
const throws = (run) => {
  try {
    run();
    return false;
  } catch {
    return true;
  }
};

test("text is text", () => same([h("p", {}, HOSTILE).textContent, foreign(h("p", {title: HOSTILE}, HOSTILE))], [HOSTILE, 0]));
test("what is absent is left out", () => same(h("p", {class: null, hidden: false}, null, undefined, false, 0, ["a", ["b"]]).outerHTML, "<p>0ab</p>"));
test("style, HTML, handlers as text and links that leave the page are refused", () => {
  for (const props of [{style: "color: red"}, {innerHTML: "x"}, {onclick: "x"}, {href: "javascript:alert(1)"}, {href: "https://example.com"}, {src: "//example.com/x.png"}]) {
    same([JSON.stringify(props), throws(() => h("a", props))], [JSON.stringify(props), true]);
  }
});
test("a keyed list keeps the elements of items that stay", () => {
  const parent = h("ul");
  let made = 0;
  const draw = (items) => keyed(parent, items, (item) => item.id, (item) => (++made, h("li", {}, item.id)));
  const [a, b, c, d] = ["a", "b", "c", "d"].map((id) => ({id}));
  draw([a, b, c]);
  const kept = [...parent.children];
  draw([d, c, a]);
  same([parent.textContent, parent.children[1] === kept[2], parent.children[2] === kept[0], made], ["dca", true, true, 4]);
  draw([d, {id: "c"}, a]);
  same([parent.textContent, parent.children[1] === kept[2], made], ["dca", false, 5]);
  draw([]);
  same(parent.children.length, 0);
});
test("a keyed list keeps no element that is not of its items", () => {
  const parent = h("ul", {}, "Loading…");
  const draw = (...ids) => keyed(parent, ids.map((id) => ({id})), (item) => item.id, (item) => h("li", {}, item.id));
  draw("a", "a", "b");
  draw("a", "a", "b");
  same(parent.textContent, "aab");
  draw("b");
  same(parent.textContent, "b");
});
test("a row of a list is a link in an item, and keeps the focus when it is made again", () => {
  const list = makeList({keyOf: (item) => item.id, make: (item) => h("a", {class: "row", href: "#/x", "data-id": item.id}, item.text), label: "Rows"});
  document.body.append(list.element);
  list.set([{id: "a", text: "1"}, {id: "b", text: "2"}]);
  list.focus("b");
  list.set([{id: "c", text: "3"}, {id: "a", text: "1"}, {id: "b", text: "4"}]);
  const found = [document.activeElement.textContent, document.activeElement.getAttribute("role"), document.activeElement.parentNode.getAttribute("role")];
  list.dispose();
  list.element.remove();
  same(found, ["4", null, "listitem"]);
});
test("a tree shows every digit, and hostile text as text", () => {
  const tree = drawTree(readJson(JSON.stringify({[HOSTILE]: HOSTILE}).replace("}", ', "n": 12345678901234567890.10}')).root);
  same([foreign(tree), tree.textContent.includes("12345678901234567890.10"), tree.textContent.includes("onerror")], [0, true, true]);
});
test("a tree opens large lists in parts", () => {
  const tree = drawTree(readJson(JSON.stringify(Array.from({length: 250}, (_, i) => i))).root);
  same(tree.querySelectorAll(".leaf").length, 100);
  tree.querySelector("button.more").click();
  tree.querySelector("button.more").click();
  same([tree.querySelectorAll(".leaf").length, tree.querySelector("button.more")], [250, null]);
});
test("text that changes its direction is shown as written", () => same(drawBody('{"a": "x\u202ey"}', {as: "text"}).textContent, '{"a": "x\\u202ey"}'));
test("keys are sorted if asked", () => same([...drawBody('{"b":1,"a":2}', {sorted: true}).querySelectorAll(".key")].map((key) => key.textContent), ['"a": ', '"b": ']));
test("broken JSON is marked at its place", () => {
  const drawn = drawBody('{"a": 1,\n "b" 2}', {contentType: "application/json"});
  same([drawn.querySelector(".problem").textContent, drawn.querySelector("mark").textContent], ["Not JSON: line 2, column 6: a colon is expected before 2.", "2"]);
});
test("JSON that ends too early is marked at its end", () => same(drawBody('{"a": [1,', {}).querySelector("mark").textContent, "⏎ here it ends"));
test("a form is a tree of texts", () => same(drawBody("CallSid=CA1&Body=a+b%21", {contentType: "application/x-www-form-urlencoded"}).querySelectorAll(".string")[1].textContent, '"a b!"'));
test("a difference of payloads is a table by path", () => {
  const drawn = drawDiff('{"a": 1}', '{"a": 2}', {names: ["before", "after"]});
  same([...drawn.querySelectorAll("tbody th, tbody td")].map((cell) => cell.textContent), ["a", "changed", "1", "2"]);
});
test("a message of Slack holds nothing that can be followed or run", () => {
  const drawn = drawSlack({blocks: [
    {type: "header", text: {type: "plain_text", text: HOSTILE}}, {type: "section", text: {type: "mrkdwn", text: `${HOSTILE} <javascript:alert(1)|click>`}, fields: [{type: "mrkdwn", text: HOSTILE}]},
    {type: "actions", elements: [{type: "button", text: {type: "plain_text", text: "Open"}, url: "https://example.com"}]}, {type: "image", image_url: "https://example.com/x.png", alt_text: HOSTILE}, {type: "nonsense"}, null],
  attachments: [{color: "red; background: url(//x)", text: HOSTILE, title: HOSTILE, title_link: "javascript:alert(1)"}, null]});
  same([foreign(drawn), drawn.querySelectorAll("button").length, drawn.querySelector(".slack-bar").style.backgroundColor, window.__hostile], [0, 0, "", undefined]);
});

test("what is no message as Slack knows them is drawn as far as it is one", () => {
  const broken = [{type: "header", text: 42}, {type: "section", text: {type: "mrkdwn", text: 42}, fields: {}}, {type: "section", text: 7, fields: [null, 3]}, {type: "context", elements: {}}, {type: "actions", elements: [null, {type: "button", text: 1}]},
    {type: "actions", elements: {}}, {type: "rich_text", elements: [null, {elements: {}}]}, {type: "image", alt_text: {}}, {type: "markdown", text: []}, 5];
  const body = JSON.stringify({blocks: broken, attachments: [{color: 5, pretext: 3, title: {}, fields: [null], footer: 2, blocks: broken}, "x"], username: {}});
  const drawn = drawRequest({method: "POST", url: "https://hooks.slack.com/x", headers: [], body, cut: false});
  same([drawn.querySelectorAll(".slack").length, drawn.querySelectorAll(".limits li").length > 0, drawn.querySelector(".slack").textContent.includes("42")], [1, true, true]);
});
test("a message that cannot be drawn is shown as its bytes", () => {
  const body = `{"blocks":[{"type":"rich_text","elements":[${'{"elements":['.repeat(30000)}${"]}".repeat(30000)}]}]}`;
  const drawn = drawRequest({method: "POST", url: "https://hooks.slack.com/x", headers: [], body, cut: false});
  same([drawn.querySelectorAll(".slack").length, drawn.textContent.includes("so it is not drawn"), drawn.querySelector("pre:not(.head)").textContent.length], [0, true, body.length]);
});

// stream.js

// Runs `use(opened)` with streams that are made by hand; `opened` are all that were asked for.
async function withStreams(answer, use) {
  const real = [window.EventSource, window.fetch];
  const opened = [];
  window.EventSource = class extends EventTarget {
    constructor(url) {
      super();
      opened.push({url, tell: (kind, data) => this.dispatchEvent(new MessageEvent(kind, {data: JSON.stringify(data)}))});
    }
    close() {}
  };
  window.fetch = async () => new Response(JSON.stringify(answer), {status: answer.error ? 503 : 200});
  try {
    await use(opened);
  } finally {
    disconnect();
    [window.EventSource, window.fetch] = real;
  }
}

test("a stream that is refused says why", () => withStreams({error: "too_many_streams", detail: "64 streams are open already; close one of them"}, async (opened) => {
  connect();
  opened[0].tell("error", null);
  for (let i = 0; i < 50 && streamState().kind !== "refused"; ++i) await frame();
  same(streamState(), {kind: "refused", text: "64 streams are open already; close one of them; trying again in 1 s"});
}));
test("lists that were read before the stream was there are read again once; later it goes on from its cursor", () => withStreams({}, async (opened) => {
  const gaps = [];
  const end = on("gap", (gap) => gaps.push(gap.kinds));
  connect();
  opened[0].tell("hello", {cursor: "c1"});
  connect();
  opened[1].tell("hello", {cursor: "c2"});
  end();
  same([gaps, opened.map(({url}) => url)], [[["event", "delivery", "refused", "sink", "reload"]], ["api/v1/stream", "api/v1/stream?cursor=c1"]]);
}));

// live_store.js, with a router that is made of lists

const at = (second) => `2026-03-04T09:00:${String(second).padStart(2, "0")}.000Z`;
const event = (second, more = {}) => ({id: `e${String(second).padStart(2, "0")}`, received_at: at(second), source: "bolna", call_id: null, agent: null, status: "completed", deliveries: 0, outcomes: [], ...more});
const refusal = (second) => ({number: second, at: at(second), source: "bolna", peer: "192.0.2.1", path: "/x", http_status: 401, error: "unauthorized", detail: "no"});
const seconds = (store) => store.rows.map((row) => Number(row.received_at.slice(17, 19)) * (row.refused ? -1 : 1));
const frame = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));

// Runs `use(store)` with a router that answers events and refused requests from pages of these seconds.
async function withStore({events, refused = [[]]}, use) {
  const real = window.fetch;
  const asked = [];
  window.fetch = async (url) => {
    const {pathname, searchParams} = new URL(url, location.href);
    asked.push(pathname.split("/").pop() + (searchParams.get("search") ? "?" + searchParams.get("search") : ""));
    const pages = pathname.endsWith("/events") ? events : refused;
    const page = Number(searchParams.get("cursor") ?? 0);
    const make = pathname.endsWith("/events") ? event : refusal;
    const answer = {[pathname.endsWith("/events") ? "events" : "refused"]: pages[page].map((one) => typeof one === "object" ? one : make(one)), cursor: page + 1 < pages.length ? String(page + 1) : null};
    return new Response(JSON.stringify(answer));
  };
  const store = new LiveStore(() => {}, 0);
  try {
    return await use(store, asked);
  } finally {
    store.dispose();
    window.fetch = real;
  }
}

async function loaded(store) {
  const isBusy = () => store.loading || store.isShown && store.need !== null;
  for (let i = 0; i < 300 && isBusy(); ++i) await frame();
  for (let i = 0; i < 3; ++i) await frame();
  if (store.loading) throw new Error("it still loads");
}

test("refused requests stand between the events by their time, as far down as events are loaded", () => withStore({events: [[50, 40], [30, 10]], refused: [[55, 45, 35], [5]]}, async (store) => {
  store.use("");
  await loaded(store);
  same(seconds(store), [-55, 50, -45, 40]);
  await store.more();
  await loaded(store);
  same([seconds(store), store.pages.isDone], [[-55, 50, -45, 40, -35, 30, 10, -5], true]);
}));
test("what the stream says comes on top, and changes what became of a row", () => withStore({events: [[50]]}, async (store) => {
  store.use("");
  await loaded(store);
  store.arrived({kind: "event", data: event(51)});
  store.arrived({kind: "refused", data: refusal(52)});
  store.arrived({kind: "delivery", data: {id: "d-1", event: "e50", sink: "ops", state: "delivered", latency_ms: 84}});
  await frame();
  same([seconds(store), store.rows[2].outcomes.map(({sink, state}) => `${sink} ${state}`)], [[-52, 51, 50], ["ops delivered"]]);
}));
test("a pause holds everything and says how many rows it holds", () => withStore({events: [[50]]}, async (store) => {
  store.use("");
  await loaded(store);
  store.setPaused(true);
  store.arrived({kind: "event", data: event(51)});
  store.arrived({kind: "refused", data: refusal(52)});
  store.arrived({kind: "delivery", data: {id: "d-1", event: "e50", sink: "ops", state: "dead"}});
  await frame();
  same([seconds(store), store.rows[0].outcomes.length, store.held], [[50], 0, 2]);
  store.setPaused(false);
  await frame();
  same([seconds(store), store.rows[2].outcomes.length, store.held], [[-52, 51, 50], 1, 0]);
}));
test("a search for an event's own words shows no refused requests and asks the router again", () => withStore({events: [[50]]}, async (store, asked) => {
  store.use("agent:x");
  await loaded(store);
  same([seconds(store), asked], [[50], ["events?agent:x"]]);
  store.arrived({kind: "refused", data: refusal(52)});
  store.arrived({kind: "event", data: event(53)});
  await loaded(store);
  same([seconds(store), asked], [[50], ["events?agent:x", "events?agent:x"]]);
}));
test("a search for refused requests asks for no events", () => withStore({events: [[50]], refused: [[49, 48]]}, async (store, asked) => {
  store.use("is:refused");
  await loaded(store);
  same([seconds(store), asked], [[-49, -48], ["refused"]]);
}));
test("after a gap all that is loaded is read again, and rows that say the same stay", () => {
  const events = [[50], [40]];
  return withStore({events}, async (store) => {
    store.use("");
    await loaded(store);
    await store.more();
    await loaded(store);
    const kept = store.rows[0];
    events.splice(0, 2, [51, 50], [event(40, {status: "failed"})]);
    store.arrived({kind: "gap"});
    await loaded(store);
    same([seconds(store), store.rows[1] === kept, store.rows[2].status], [[51, 50, 40], true, "failed"]);
  });
});
test("what arrives while all is read again is not lost", () => withStore({events: [[50]]}, async (store) => {
  store.use("");
  await loaded(store);
  const real = window.fetch;
  let release;
  window.fetch = async (...asked) => {
    await new Promise((resolve) => release = resolve);
    window.fetch = real;
    return real(...asked);
  };
  store.arrived({kind: "gap"});
  while (!release) await frame();
  store.arrived({kind: "event", data: event(51)});
  release();
  await loaded(store);
  same(seconds(store), [51, 50]);
}));
test("a refused request that arrives while the list is read is one row", () => withStore({events: [[50]], refused: [[52]]}, async (store) => {
  store.use("");
  store.arrived({kind: "refused", data: refusal(52)});
  await loaded(store);
  store.arrived({kind: "refused", data: refusal(52)});
  await loaded(store);
  same(seconds(store), [-52, 50]);
}));
test("what comes in by itself for hours is cut, refused requests too, and older rows can be read again", () => withStore({events: [[50, 40]], refused: [[55]]}, async (store) => {
  for (const [search, kind, make] of [["", "event", event], ["is:refused", "refused", refusal]]) {
    store.use(search);
    await loaded(store);
    for (let i = 0; i <= 5000; ++i) store.arrived({kind, data: {...make(59), id: `f${i}`, number: 100 + i}});
    await loaded(store);
    same([search, seconds(store), store.pages.isCut], [search, search ? [-55] : [-55, 50, 40], false]);
  }
}));
test("a search that is not shown asks for nothing until it is shown again", () => withStore({events: [[50]]}, async (store, asked) => {
  store.use("agent:x");
  await loaded(store);
  store.setShown(false);
  store.arrived({kind: "event", data: event(51)});
  await loaded(store);
  same(asked.length, 1);
  store.setShown(true);
  await loaded(store);
  same(asked.length, 2);
}));
test("another search is not paused because somebody read further down in the one before", () => withStore({events: [[50]]}, async (store) => {
  store.use("");
  await loaded(store);
  store.setPaused(true, true);
  store.use("agent:x");
  same([store.paused, store.byScroll], [false, false]);
  store.setPaused(true);
  store.use("agent:y");
  same(store.paused, true);
}));
test("an event that was sent again stands at its time, and is none that is new", () => withStore({events: [[50, 30], [20]]}, async (store) => {
  store.use("");
  await loaded(store);
  for (const revised of [event(40), event(10)]) store.arrived({kind: "event", data: {...revised, revised: true}});
  await frame();
  same(seconds(store), [50, 40, 30]);
  store.setPaused(true);
  for (const one of [event(40), event(51), event(51, {revised: true})]) store.arrived({kind: "event", data: one});
  same([store.held, store.heldMore], [1, false]);
}));
test("an error ends when the router answers again", () => withStore({events: [[50]]}, async (store) => {
  const real = window.fetch;
  window.fetch = async () => new Response('{"error": "unavailable", "detail": "the journal is busy"}', {status: 503});
  store.use("");
  await loaded(store);
  same(store.error?.message, "The journal is busy");
  window.fetch = real;
  store.arrived({kind: "event", data: event(51)});
  await loaded(store);
  same([store.error, seconds(store)], [null, [50]]);
}));
