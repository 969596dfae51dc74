// Deliveries by state, sink, rule, agent and call: the dead letters above all, and what can be done with all of them.

import {get} from "../api.js";
import {asking, askPurge, askReplayDeliveries} from "../bulk.js";
import {deliveryValue} from "../delivery_filter.js";
import {h, show} from "../dom.js";
import {bind} from "../keys.js";
import {makeList} from "../list.js";
import {makeRefresh} from "../refresh.js";
import {href, setQuery} from "../router.js";
import {may, onStatus} from "../status.js";
import {on} from "../stream.js";
import {agoOf, countText, timeOf} from "../time.js";
import {outcomeWords, plural, stateWord, statusOf} from "../words.js";

const PAGE = 200;
const MOST = 1000;  // rows that are read again at once
const STATES = [
  ["All", ""], ["Dead", "dead"], ["Waiting", "pending,held"], ["Delivered", "delivered"], ["Canceled", "canceled"],
  ["Fell back", "fell_back"]
];
const KEYS = ["state", "sink", "rule", "agent", "status", "call_id", "source", "event", "since", "until"];
const RARE = new Set(["status", "source", "event", "until"]);  // shown only where a link brought them
const ENDED = new Set(["dead", "canceled", "fell_back", "delivered"]);

export default {
  name: "Deliveries",
  path: "/deliveries",
  under: "sinks",
  title: (params, query) =>
    `${STATES.find(([, state]) => state === query.state)?.[0] ?? "Deliveries"}${query.sink ? ` of ${query.sink}` : ""}`,
  render(container, {query}) {
    let filter = {};
    let rows = [];
    let cursor;
    let request = null;
    let loading = false;
    let error = null;
    let drawnTools = "";
    const names = {sink: [], rule: []};
    const head = h("div", {});
    const fields = makeFields();
    const form = h("form", {class: "filter-form", onsubmit: (event) => event.preventDefault()},
      Object.values(fields).map(({label}) => label));
    const tools = h("div", {class: "tools"});
    const foot = h("p", {class: "foot muted", role: "status"});
    const list = makeList({keyOf: (row) => row.id, make: deliveryRow, nearEnd: more, label: "Deliveries"});
    container.append(head, form, h("div", {class: "bar"}, foot, tools), deliveryHead(), list.element);

    function use(next) {
      filter = Object.fromEntries(KEYS.filter((key) => next[key]).map((key) => [key, deliveryValue(key, next[key])]));
      show(head, h("h1", {}, titleOf(filter)),
        h("div", {class: "filters", role: "group", "aria-label": "State"},
          STATES.map(([label, state]) => h("a", {
            class: "chip",
            href: href("/deliveries", {}, {...filter, state}),
            "aria-current": (filter.state ?? "") === state && "true"
          },
                       label))));
      drawForm();
      request?.abort();
      rows = [];
      cursor = undefined;
      error = null;
      list.set(rows);
      refresh.now();
    }

    function drawForm() {
      for (const [key, {label, input}] of Object.entries(fields)) {
        label.hidden = !filter[key] && RARE.has(key);
        if (input.tagName === "SELECT") {
          const values = new Set([...names[key], ...(filter[key] ? [filter[key]] : [])]);
          show(input, h("option", {value: ""}, "any"), [...values].map((value) => h("option", {value}, value)));
        }
        input.value = filter[key] ?? "";
      }
    }

    // From the newest again. What is shown stays until the answer is here.
    function read() {
      cursor = undefined;
      return load(Math.min(MOST, Math.max(PAGE, rows.length)));
    }

    function more() {
      if (!loading && error === null && cursor) load(PAGE);
    }

    async function load(limit) {
      request?.abort();
      const mine = request = new AbortController();
      const isFirst = cursor === undefined;
      loading = true;
      if (rows.length === 0 || error !== null) drawFoot();
      try {
        const page = await get("deliveries", {...filter, limit, cursor}, {signal: mine.signal});
        if (request !== mine) return;
        rows = isFirst ? page.deliveries : [...rows, ...page.deliveries];
        cursor = page.cursor;
        error = null;
      } catch (failure) {
        if (request !== mine || failure.name === "AbortError") return;
        error = failure;
      }
      loading = false;
      list.set(rows);
      drawFoot();
      drawTools();
    }

    function drawFoot() {
      if (error !== null && !loading)
        return show(foot, h("span", {class: "problem"}, error.message), " ",
          h("button", {type: "button", onclick: refresh.now}, "Try again"));
      show(foot, loading && rows.length === 0 ? "Loading…" : countOf(rows.length, cursor === null));
    }

    // Drawn only when they change: what has the focus keeps it.
    function drawTools() {
      const canChange = may("change") && rows.length > 0;
      const text = JSON.stringify([canChange, filter]);
      if (text === drawnTools) return;
      drawnTools = text;
      const states = (filter.state ?? "").split(",").filter(Boolean);
      const canReplay = states.length > 0 && states.every((state) => ENDED.has(state));
      const canPurge = states.some((state) => ["dead", "pending", "held"].includes(state));
      const after = (ask) => asking(async () => (await ask()) && refresh.now());
      show(tools, canChange && [
        states.length === 0 && h("span", {class: "muted"}, "Choose Dead or Waiting to replay or purge them all."),
        canReplay &&
          h("button", {type: "button", onclick: after(() => askReplayDeliveries(filter))},
            filter.state === "dead" ? "Replay all…" : "Send all again…"),
        canPurge && h("button", {type: "button", onclick: after(() => askPurge(filter))}, "Purge all…")
      ]);
    }

    // A delivery that is shown says what becomes of it, also when it no longer fits the filter.
    function update(delivery) {
      const at = rows.findIndex((row) => row.id === delivery.id);
      if (at < 0) return;
      rows = rows.map((row, i) => i === at ? {...row, ...delivery} : row);
      list.set(rows);
    }

    // Without their names a sink and a rule can still come from a link.
    const know = (key, list) => {
      names[key] = list;
      drawForm();
    };
    const refresh = makeRefresh(read, {soonMs: 500});
    get("sinks").then(({sinks}) => know("sink", sinks.map((one) => one.sink)), () => {});
    get("rules").then(({rules}) => know("rule", rules.map((one) => one.name)), () => {});
    use(query);
    const ends = [
      on("delivery", update), on("gap", refresh.soon), onStatus(drawTools), bind("j", "next row", () => list.move(1)),
      bind("k", "row before", () => list.move(-1))
    ];
    return {
      update(next) {
        use(next.query);
        return true;
      },
      dispose() {
        refresh.end();
        request?.abort();
        request = null;
        list.dispose();
        for (const end of ends) end();
      },
    };
  },
};

// A field for each part of the filter; a change becomes the address's.
function makeFields() {
  const field = (key, text, element) => {
    element.addEventListener("change", () => setQuery({[key]: deliveryValue(key, element.value.trim()) || null}));
    return [key, {label: h("label", {}, h("span", {}, text), element), input: element}];
  };
  const free = (placeholder) => h("input", {type: "text", placeholder, autocomplete: "off", spellcheck: "false"});
  return Object.fromEntries([
    field("sink", "Sink", h("select", {})),
    field("rule", "Rule", h("select", {})),
    field("agent", "Agent", free("any, or billing-*")),
    field("call_id", "Call", free("any")),
    field("since", "Since", free("any, or 2h")),
    field("until", "Before", free("any")),
    field("status", "Status", free("any")),
    field("source", "Source", free("any")),
    field("event", "Event", free("any")),
  ]);
}

function countOf(n, isAll) {
  if (!isAll) return `The newest ${countText(n)}; more as you scroll.`;
  return n === 0 ? "No delivery matches." : `${plural(n, "delivery matches", "deliveries match")}.`;
}

const TITLES = {
  dead: "Dead letters",
  "pending,held": "What waits",
  delivered: "What was delivered",
  canceled: "What was canceled",
  fell_back: "What the fallback took over",
};

function titleOf({state, sink, rule}) {
  const what = TITLES[state] ?? "Deliveries";
  return `${what}${sink ? ` · ${sink}` : ""}${rule ? ` · ${rule}` : ""}`;
}

function deliveryHead() {
  const cells =
    {when: "Came in", sink: "To", what: "Call", agent: "Agent", rule: "By the rule", outcomes: "What became of it"};
  return h("div", {class: "row-head delivery-row", "aria-hidden": "true"},
    Object.entries(cells).map(([name, text]) => h("span", {class: name}, text)));
}

// {tone, text, more} of a row: the state as one word, so that the reason has room.
function rowWords(delivery) {
  const {tone, text, more} = outcomeWords(delivery);
  const short = {
    dead: "not delivered",
    pending: delivery.attempts > 0 ? "trying again" : "waits",
    held: "held",
    fell_back: "fell back"
  }[delivery.state] ??
    text;
  const after = short !== text && delivery.attempts > 0 ? ` after ${plural(delivery.attempts, "attempt")}` : "";
  return {tone, text: short, more: after + (more ? `: ${more}` : "")};
}

function deliveryRow(delivery) {
  const {tone, text, more} = rowWords(delivery);
  const cells = [
    h("span", {class: "when"}, timeOf(delivery.accepted_at), " ", agoOf(delivery.accepted_at)),
    h("span", {class: "sink"}, delivery.sink, delivery.is_replay && h("span", {class: "tag"}, "replayed")),
    h("span", {class: "what"}, delivery.event ? statusOf(delivery.status) : h("span", {class: "muted"}, "a notice")),
    h("span", {class: "agent"}, delivery.agent ?? h("span", {class: "muted"}, delivery.event ? "no agent" : "")),
    h("span", {class: "rule muted"}, delivery.rule),
    h("span", {class: "outcomes"}, stateWord(tone, text), h("span", {class: "muted"}, more))
  ];
  const title = `${delivery.sink}: ${text}${more}`;
  // A notice of trouble belongs to no event.
  if (!delivery.event) return h("div", {class: "row delivery-row", tabindex: "0", title}, cells);
  return h("a",
    {class: "row delivery-row", href: href("/event/:id", {id: delivery.event}, {delivery: delivery.id}), title}, cells);
}
