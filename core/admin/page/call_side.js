// The call's other events beside an event, on a time line.

import {at, get} from "./api.js";
import {h, show} from "./dom.js";
import {makeRefresh} from "./refresh.js";
import {href} from "./router.js";
import {durationText, exactText, timeOf} from "./time.js";
import {outcomeWords, plural, stateWord, statusOf} from "./words.js";

const MOST = 100;

/// {element, use(event), soon(), end()}: the call of `event`, read again with each use() and some time after soon().
export function makeCallSide() {
  const title = () => h("h2", {}, "Its call");
  const element = h("aside", {class: "side", "aria-label": "The call"}, title(), h("p", {class: "muted"}, "Loading…"));
  let event = null;
  let drawn = "";

  async function read() {
    if (!event.call_id) return show(element, title(), h("p", {class: "muted"}, "This event names no call."));
    try {
      const call = await get(at("calls", event.call_id), {source: event.source, limit: MOST});
      const isFar = call.count > call.events.length && !call.events.some((one) => one.id === event.id);
      const events = isFar ? await upTo(event) : call.events;
      const text = JSON.stringify([call.count, call.last, event.id, events]);
      // What is the same keeps its place and its focus.
      if (text === drawn) return;
      drawn = text;
      show(element, title(), drawCall(call, events, event, isFar));
    } catch (error) {
      if (drawn === "") show(element, title(), h("p", {class: "problem"}, error.message));
    }
  }

  const refresh = makeRefresh(read, {soonMs: 1000});
  return {
    element,
    soon: refresh.soon,
    end: refresh.end,
    use(next) {
      event = next;
      return refresh.now();
    },
  };
}

// The last events of its call that came until `event`, oldest first.
async function upTo({received_at: at, call_id, source}) {
  const until = new Date(Date.parse(at) + 1).toISOString();
  const {events} = await get("events", {call_id, source, until, details: "true", limit: MOST});
  return events.reverse();
}

function drawCall(call, events, event, isFar) {
  const whole = href("/call/:id", {id: event.call_id}, {source: event.source});
  const start = Date.parse(call.first);
  return [
    h("p", {}, h("a", {href: whole}, plural(call.count, "event")),
      call.count > 1 && ` in ${durationText((Date.parse(call.last) - start) / 1000)}`, h("br"),
      h("span", {class: "muted mono wrap"}, event.call_id)),
    isFar && h("p", {class: "muted"}, `The last ${events.length} up to this one:`),
    h("ol", {class: "timeline"},
      events.map((one) => h("li", {class: toneOf(one), "aria-current": one.id === event.id && "true"},
                   h("time", {datetime: one.received_at, title: exactText(new Date(one.received_at))},
                     one.received_at === call.first ? timeOf(one.received_at) :
                                                      `+${offset(Date.parse(one.received_at) - start)}`),
                   one.id === event.id ?
                     h("div", {}, statusOf(one.status), h("span", {class: "tag"}, "this event")) :
                     h("div", {}, h("a", {href: href("/event/:id", {id: one.id})}, statusOf(one.status)), " ",
                       h("a", {class: "quiet-link", href: href("/compare", {}, {a: one.id, b: event.id})}, "compare")),
                   h("div", {class: "small"}, shortOutcome(one))))),
    call.count > events.length &&
      h("p", {}, h("a", {href: whole}, `and ${plural(call.count - events.length, "more event")}`))
  ];
}

export function offset(ms) {
  return ms < 60000 ? `${(ms / 1000).toFixed(1)} s` : durationText(ms / 1000);
}

function toneOf(event) {
  const tones = (event.outcomes ?? []).map((outcome) => outcomeWords(outcome).tone);
  return tones.includes("bad") ? "bad" : tones.includes("wait") ? "wait" : tones.includes("ok") ? "ok" : "off";
}

function shortOutcome(event) {
  const outcomes = event.outcomes ?? [];
  if (outcomes.length === 0)
    return h("span", {class: "muted"}, event.note && !event.status ? event.note : "no rule wanted it");
  return outcomes.map((outcome) => {
    const {tone, short} = outcomeWords(outcome);
    return h("div", {}, stateWord(tone, short), " ", outcome.sink);
  });
}
