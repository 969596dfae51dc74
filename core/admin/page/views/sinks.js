// Sinks: a card each, those that need somebody first.

import {get} from "../api.js";
import {h, keyed, show} from "../dom.js";
import {bindMoves} from "../keys.js";
import {makeRefresh} from "../refresh.js";
import {drawSink} from "../sink_card.js";
import {sinkWords} from "../sink_words.js";
import {may, onStatus} from "../status.js";
import {on} from "../stream.js";
import {plural} from "../words.js";

const ORDER = {
  bad: 0,
  wait: 1,
  off: 2,
  ok: 3
};
const DEAD = 200;  // dead letters that are counted; more are "at least"
const AGAIN_MS = 1000;
const EVERY_MS = 15000;  // what waits and the last hour change without a message

export default {
  name: "Sinks",
  path: "/sinks",
  nav: 3,
  title: (params, query) => query.name ? `Sink ${query.name}` : "Sinks",
  render(container, {query}) {
    let name = query.name ?? "";
    let sinks = null;
    let dead = null;
    let drawn = new Map();
    let ended = false;
    const summary = h("p", {class: "muted", role: "status"}, "Loading…");
    const cards = h("div", {class: "cards"});
    container.append(h("h1", {}, "Sinks"), summary, cards);

    async function load() {
      try {
        const [answer, letters] = await Promise.all([get("sinks"), get("deliveries", {state: "dead", limit: DEAD})]);
        if (ended) return;
        const isFirst = sinks === null;
        sinks = answer.sinks;
        dead = countDead(letters);
        draw();
        if (isFirst) reveal();
      } catch (error) {
        if (!ended) show(summary, h("span", {class: "problem"}, error.message));
      }
    }

    const refresh = makeRefresh(load, {soonMs: AGAIN_MS, everyMs: EVERY_MS});

    function draw() {
      if (sinks === null) return;
      const sorted = [...sinks].sort((a, b) => ORDER[sinkWords(a).tone] - ORDER[sinkWords(b).tone] ||
          b.pending - a.pending || (a.sink < b.sink ? -1 : 1));
      show(summary, summaryOf(sinks), !may("change") && " This token may read, not change.");
      // A card that says the same stays as it is, with its focus.
      const items =
        sorted
          .map((sink) => {
            const item = {sink, dead: dead.get(sink.sink), isMarked: sink.sink === name, may: may("change")};
            const text = JSON.stringify(item);
            return {...item, text};
          })
          .map((item) => drawn.get(item.text) ?? item);
      drawn = new Map(items.map((item) => [item.text, item]));
      const focus = focused(cards);
      keyed(cards, items, (item) => item.sink.sink,
        (item) => drawSink(item.sink, {dead: item.dead, isMarked: item.isMarked, changed: refresh.now}));
      focus();
    }

    function reveal() {
      const card = [...cards.children].find((one) => one.dataset.name === name);
      card?.scrollIntoView({block: "nearest"});
      card?.focus({preventScroll: true});
    }

    const ends = [
      refresh.end, on("sink", refresh.soon), on("gap", refresh.soon), on("reload", refresh.soon), onStatus(draw),
      on("delivery", (delivery) => delivery.state === "dead" && refresh.soon()), bindMoves(() => cards.children, "sink")
    ];
    refresh.now();
    return {
      update({query: next}) {
        name = next.name ?? "";
        draw();
        reveal();
        return true;
      },
      dispose() {
        ended = true;
        for (const end of ends) end();
      },
    };
  },
};

function countDead({deliveries, cursor}) {
  const counts = new Map();
  for (const {sink} of deliveries) counts.set(sink, (counts.get(sink) ?? 0) + 1);
  return {get: (sink) => ({count: counts.get(sink) ?? 0, more: cursor !== null})};
}

function summaryOf(sinks) {
  if (sinks.length === 0) return "The config has no sink.";
  const broken = sinks.filter((sink) => sinkWords(sink).tone === "bad").length;
  const waiting = sinks.reduce((sum, sink) => sum + sink.pending, 0);
  return `${plural(sinks.length, "sink")}, ${broken === 0 ? "none broken" : `${broken} broken`}; ${
    plural(waiting, "delivery waits", "deliveries wait")}.`;
}

// A card that is made again keeps the focus on the same button.
function focused(cards) {
  const element = cards.contains(document.activeElement) ? document.activeElement : null;
  const act = element?.dataset.act;
  const name = element?.closest(".sink")?.dataset.name;
  return () => {
    if (!act || element.isConnected) return;
    [...cards.children].find((card) => card.dataset.name === name)?.querySelector(`[data-act="${act}"]`)?.focus({
      preventScroll: true
    });
  };
}
