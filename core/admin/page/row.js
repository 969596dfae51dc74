// One event, or one refused request, as a row: what it was, and in words what became of it.

import {h} from "./dom.js";
import {href} from "./router.js";
import {agoOf, countText, durationText, msText, timeOf} from "./time.js";
import {outcomeWords, stateWord, statusOf} from "./words.js";

const TOLD = 20;  // lines of a tooltip

const WORST = {
  bad: 0,
  wait: 1,
  ok: 2,
  off: 3
};

/// The row of an event as GET /events gives it with details. `first`: the first cell, in place of the time; `href`:
/// where it leads, in place of the event; `tag`: a word beside the status.
export function eventRow(event, {first = null, href: target = null, tag = null} = {}) {
  return h("a", {class: "row", href: target ?? href("/event/:id", {id: event.id}), "data-id": event.id},
    first ?? h("span", {class: "when"}, timeOf(event.received_at), " ", agoOf(event.received_at)),
    h("span", {class: "what"}, statusOf(event.status)),
    h("span", {class: "agent", title: event.agent}, event.agent ?? h("span", {class: "muted"}, "no agent")),
    h("span", {class: "duration"}, durationText(event.duration)), h("span", {class: "source"}, event.source),
    outcomesOf(event, [
      tag && h("span", {class: "tag"}, tag),
      event.revised && h("span", {class: "tag", title: "The platform sent it again with other content"}, "revised")
    ]));
}

/// What the cells of such rows are; only drawn where there is room.
export function rowHead(when) {
  const cells = {when, what: "Call", agent: "Agent", duration: "Length", source: "From", outcomes: "What became of it"};
  return h("div", {class: "row-head", "aria-hidden": "true"},
    Object.entries(cells).map(([name, text]) => h("span", {class: name}, text)));
}

/// What became of an event: each of its deliveries, or why there is none. An outcome may stand for several, as Tally
/// counts them.
export function outcomesOf(event, tags = null) {
  const outcomes = event.outcomes ?? [];
  if (outcomes.length === 0) {
    const text = event.status === null && event.note ? event.note :
      event.deliveries > 0                           ? `${event.deliveries} deliveries` :
                                                       "no rule wanted it";
    return h("span", {class: "outcomes muted", title: event.note}, tags,
      event.status === null && event.note ? "recorded only: " + text : text);
  }
  const words = outcomes.map((outcome) => ({outcome, ...outcomeWords(outcome)}));
  const groups = new Map();
  for (const word of words) {
    const key = [word.tone, word.short, word.tone === "ok" ? "" : word.more].join("|");
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(word);
  }
  const sorted = [...groups.values()].sort((a, b) => WORST[a[0].tone] - WORST[b[0].tone]);
  return h("span", {class: "outcomes", title: titleOf(words)}, tags,
    sorted.map((group) => h("span", {class: "outcome"}, stateWord(group[0].tone, group[0].short),
                 bySink(group).map(([sink, {outcome}, times], i) => [i > 0 ? ", " : " ", h("b", {}, sink),
                                     times > 1 ? h("span", {class: "muted"}, ` ${countText(times)} times`) :
                                                 outcome.state === "delivered" && outcome.latency_ms !== null &&
                                         h("span", {class: "muted"}, ` ${msText(outcome.latency_ms)}`),
                                     outcome.is_replay && h("span", {class: "tag"}, "replayed")]),
                 group[0].tone !== "ok" && group[0].more && h("span", {class: "muted"}, `: ${group[0].more}`))));
}

function titleOf(words) {
  const lines = words.slice(0, TOLD).map(({outcome, text, more}) => {
    const times = outcome.times > 1 ? `, ${countText(outcome.times)} times` : "";
    return `${outcome.sink}: ${text}${more ? ` (${more})` : ""}${times}`;
  });
  if (words.length > TOLD) lines.push(`and ${countText(words.length - TOLD)} more`);
  return lines.join("\n");
}

// [sink, the last word about it, how often] of a group.
function bySink(group) {
  const sinks = new Map();
  for (const word of group)
    sinks.set(word.outcome.sink,
      [word.outcome.sink, word, (sinks.get(word.outcome.sink)?.[2] ?? 0) + (word.outcome.times ?? 1)]);
  return [...sinks.values()];
}

/// The row of a refused request as GET /refused gives it.
export function refusedRow(refused) {
  const who = `${refused.source ?? refused.path ?? "unknown path"} from ${refused.peer ?? "an unknown address"}`;
  const why = refused.detail ?? refused.error;
  return h("a", {class: "row refused", href: href("/sources", {}, {name: refused.source}), title: `${who}\n${why}`},
    h("span", {class: "when"}, timeOf(refused.at), " ", agoOf(refused.at)),
    h("span", {class: "what"}, h("span", {class: "status bad"}, `refused ${refused.http_status}`)),
    h("span", {class: "sentence"}, h("b", {}, who), ": ", why));
}
