// Many at once: a dry run counts first, the dialog names the number and the filter, and only then it is done.

import {post} from "./api.js";
import {openDialog, say} from "./dialog.js";
import {h} from "./dom.js";
import {countText} from "./time.js";
import {plural} from "./words.js";

const STATES = {
  dead: "not delivered (dead)",
  pending: "waiting",
  held: "held",
  delivered: "delivered",
  canceled: "canceled",
  fell_back: "taken over by the fallback"
};
const NAMES = {
  sink: "sink",
  rule: "rule",
  agent: "agent",
  status: "status of the call",
  call_id: "call",
  source: "source",
  event: "event",
  since: "since",
  until: "before"
};

// What a filter of GET /deliveries says: [name, value] each.
function partsOf(filter) {
  const parts = Object.entries(NAMES).filter(([key]) => filter[key]).map(([key, name]) => [name, filter[key]]);
  if (filter.state)
    parts.unshift(["state", filter.state.split(",").map((state) => STATES[state] ?? state).join(" or ")]);
  return parts;
}

/// "state: dead · sink: ops"
export function filterText(filter) {
  return partsOf(filter).map(([name, value]) => `${name}: ${value}`).join(" · ");
}

function filterItems(filter) {
  const items = partsOf(filter);
  return h("dl", {class: "facts"},
    items.length === 0 ? [h("dt", {}, "filter"), h("dd", {}, "none: everything that is stored")] :
                         items.map(([name, value]) => [h("dt", {}, name), h("dd", {}, h("b", {}, value))]));
}

// The filter as a body; without anything but a state it has to say that it means all.
function bodyOf(filter) {
  const given = Object.fromEntries(Object.entries(filter).filter(([, value]) => value));
  const isNarrow = Object.keys(given).some((key) => key !== "state");
  return {...given, ...(isNarrow ? {} : {all: true})};
}

// The answer of a dry run; undefined if there is nothing to do or it failed, which is said.
async function count(path, body, nothing) {
  try {
    const answer = await post(path, {...body, dry_run: true});
    if (answer.matched > 0) return answer;
    await openDialog({title: "Nothing to do", cancel: "Close", content: nothing});
  } catch (error) {
    await openDialog(
      {title: "That cannot be done", cancel: "Close", content: h("p", {class: "problem"}, error.message)});
  }
  return undefined;
}

// Does what `found` has counted, and nothing that came in since. A failure says how many were done before it.
async function doCounted(path, body, {since, until}) {
  try {
    return await post(path, {...body, ...(since && {since}), ...(until && {until})});
  } catch (error) {
    const {changed, matched} = error.body ?? {};
    if (!changed) throw error;
    throw new Error(`${countText(changed)} of ${countText(matched)} were done before it failed: ${error.message}`);
  }
}

function lastWords() {
  return h("p", {class: "muted"}, "What comes in from now on is left out. It is kept in Actions.");
}

/// Tries all deliveries of `filter` again, each with its own id. Resolves to the answer, undefined if it was given up.
export async function askReplayDeliveries(filter) {
  const nothing = h("div", {}, h("p", {}, "No delivery matches:"), filterItems(filter));
  const found = await count("deliveries/replay", bodyOf({state: "dead", ...filter}), nothing);
  if (!found) return undefined;
  const what = plural(found.matched, "delivery", "deliveries");
  const done = await openDialog({
    title: `Replay ${what}`,
    confirm: `Send ${what} again`,
    content: h("div", {}, h("p", {}, `${what} ${found.matched === 1 ? "matches" : "match"}:`),
      filterItems({state: "dead", ...filter}),
      h("p", {},
        `${found.matched === 1 ? "It is" : "They are"} sent once more, oldest first, at the pace of ${
          filter.sink ?? "each sink"}. Nothing else is touched.`),
      lastWords()),
    run: () => doCounted("deliveries/replay", bodyOf({state: "dead", ...filter}), found),
  });
  if (done) say(`${plural(done.changed, "delivery is", "deliveries are")} sent again.`);
  return done;
}

/// Cancels all deliveries of `filter` that are open or dead.
export async function askPurge(filter) {
  const nothing = h("div", {}, h("p", {}, "No delivery matches:"), filterItems(filter));
  const found = await count("deliveries/purge", bodyOf(filter), nothing);
  if (!found) return undefined;
  const what = plural(found.matched, "delivery", "deliveries");
  const done = await openDialog({
    title: `Purge ${what}`,
    confirm: `Cancel ${what}`,
    cancel: "Keep",
    danger: true,
    content: h("div", {}, h("p", {}, `${what} ${found.matched === 1 ? "matches" : "match"}:`), filterItems(filter),
      h("p", {},
        `${
          found.matched === 1 ?
            "It is" :
            "They are"} never sent. The events and all attempts stay stored and can be read, and a replay can still send them.`),
      lastWords()),
    run: () => doCounted("deliveries/purge", bodyOf(filter), found),
  });
  if (done) say(`${plural(done.changed, "delivery is", "deliveries are")} canceled.`);
  return done;
}

/// Routes all events that a search finds again by the current rules.
export async function askReplayEvents(search) {
  const found =
    await count("events/replay", {search}, h("p", {}, "No event meets the search ", h("code", {}, search), "."));
  if (!found) return undefined;
  const sinks = Object.entries(found.by_sink ?? {});
  const messages = sinks.reduce((sum, [, n]) => sum + n, 0);
  const left = [
    found.no_rule > 0 &&
      `${plural(found.no_rule, "event")}: no current rule wants ${found.no_rule === 1 ? "it" : "them"}`,
    found.not_a_call > 0 && `${plural(found.not_a_call, "event")}: no call that rules can judge`
  ].filter(Boolean);
  const done = await openDialog({
    title: `Replay ${plural(found.matched, "event")}`,
    confirm: messages > 0 ? `Send ${plural(messages, "message")}` : null,
    cancel: messages > 0 ? "Cancel" : "Close",
    content:
      h("div", {}, h("p", {}, `${plural(found.matched, "event")} met by the search `, h("code", {}, search), "."),
        h("p", {},
          messages > 0 ? `The current rules are asked again and add ${plural(messages, "delivery", "deliveries")}:` :
                         "The current rules send nothing for them."),
        h("table", {class: "plain counts"}, h("tbody", {}, sinks.map(([sink,
          n]) => h("tr", {}, h("td", {class: "number"}, countText(n)), h("td", {}, "to ", h("b", {}, sink)))))),
        left.length > 0 && h("p", {class: "muted"}, `Left out: ${left.join("; ")}.`),
        messages > 0 && [h("p", {}, "Who got a message before gets it a second time."), lastWords()]),
    run: () => doCounted("events/replay", {search}, found),
  });
  if (done) say(`${plural(done.changed, "event is", "events are")} sent again.`);
  return done;
}

/// A handler that runs `ask`; a second click meanwhile does nothing, and the button keeps its focus.
export function asking(ask) {
  return async ({currentTarget: button}) => {
    if (button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true");
    try {
      await ask();
    } finally {
      button.removeAttribute("aria-busy");
    }
  };
}
