// The head of an event's page: what it was, what became of it in a line, and what can be done with it.

import {asking} from "./bulk.js";
import {openDialog, say} from "./dialog.js";
import {h} from "./dom.js";
import {bodiesMode, setShown, UNMASK_NOTE, unmaskEvent} from "./mask.js";
import {fact, needsChange} from "./parts.js";
import {go, href} from "./router.js";
import {quoted} from "./search_text.js";
import {agoOf, durationText, timeOf} from "./time.js";
import {outcomeWords, plural, statusOf} from "./words.js";

/// `replay`: an async function that asks and does it.
export function drawHead(event, replay) {
  return h("div", {class: "event-head"},
    event.status === null && event.agent === null ?
      h("h1", {}, `No call, from ${event.source}`) :
      h("h1", {}, statusOf(event.status), " ", event.agent ?? h("span", {class: "muted"}, "no agent"),
        event.duration !== null && event.duration !== undefined &&
          h("span", {class: "muted"}, ` · ${durationText(event.duration)}`)),
    h("p", {class: "summary"}, summary(event)),
    h("dl", {class: "facts"}, fact("Received", timeOf(event.received_at), ", ", agoOf(event.received_at)),
      fact("From", h("a", {href: search("source", event.source)}, event.source)),
      event.call_id &&
        fact("Call", h("a", {href: href("/call/:id", {id: event.call_id}, {source: event.source})}, event.call_id)),
      event.agent && fact("Agent", h("a", {href: search("agent", event.agent)}, event.agent)),
      event.note && event.status && fact("Note", event.note), fact("Event", h("span", {class: "mono"}, event.id))),
    h("div", {class: "buttons"},
      h("button", {type: "button", class: "primary", ...needsChange(), onclick: asking(replay)},
        "Replay by the current rules"),
      event.status &&
        h("a", {class: "button", href: href("/try", {}, {event: event.id})}, "Try it changed, or at another time"),
      h("button", {type: "button", onclick: () => askCompare(event)}, "Compare with…")));
}

function search(key, value) {
  return href("/live", {}, {search: `${key}:${quoted(value)}`});
}

function summary(event) {
  const deliveries = event.deliveries ?? [];
  if (!event.status && deliveries.length === 0)
    return `Recorded only: ${event.note ?? event.normalized_because ?? "it is no call"}.`;
  if (deliveries.length === 0) return "No rule wanted it, so it was sent nowhere.";
  const parts =
    deliveries.map((delivery) => `${delivery.sink} ${
                     outcomeWords({latency_ms: delivery.attempts?.at(-1)?.latency_ms ?? null, ...delivery}).text}`);
  return `${plural(deliveries.length, "delivery", "deliveries")}: ${parts.join("; ")}.`;
}

/// That something is hidden, and the button that shows it; `use` gets the event with nothing withheld. null: nothing is
/// hidden.
export function drawMasked(event, use) {
  if ((event.masked ?? []).length === 0) return null;
  const mode = bodiesMode();
  if (mode === "off")
    return h("p", {class: "note plain"},
      "What callers said and their numbers are hidden by the config (inspector.bodies: off).");
  if (mode === "full")
    return h("p", {class: "note plain"}, "What callers said, their numbers and the bodies are hidden. ",
      h("button", {type: "button", onclick: () => setShown(true)}, "Show"));
  return h("p", {class: "note plain"}, "What callers said, their numbers and the bodies are hidden. ",
    h("button", {type: "button", ...needsChange(), onclick: () => unmask(event, use)}, "Show for this event"),
    UNMASK_NOTE);
}

async function unmask(event, use) {
  try {
    use(await unmaskEvent(event.id));
    say("Shown for this event, in this tab.");
  } catch (error) {
    say(error.message);
  }
}

async function askCompare(event) {
  const input = h("input", {type: "text", id: "other", required: true, spellcheck: "false", autocomplete: "off"});
  const content = h("div", {},
    h("p", {},
      "What differs between the payloads of this event and another one. The call's events at the side have a link for it."),
    h("label", {for: "other"
    }, "The other event's id, or the address of its page "), input);
  const other = await openDialog({
    title: "Compare with…",
    confirm: "Compare",
    content,
    run: () => /event\/([^?/#]+)/.exec(input.value)?.[1] ?? input.value.trim()
  });
  if (other) go(href("/compare", {}, {a: other, b: event.id}));
}
