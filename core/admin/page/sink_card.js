// A sink as a card: its state and why, what waits, how fast it may go, its last hour, and what can be done about it.

import {asking, askPurge, askReplayDeliveries} from "./bulk.js";
import {countdown} from "./countdown.js";
import {h} from "./dom.js";
import {fact} from "./parts.js";
import {drawHour} from "./plot.js";
import {href} from "./router.js";
import {askPause, askResume, askTest} from "./sink_acts.js";
import {concurrencyText, paceText, placesText, sinkWords} from "./sink_words.js";
import {may} from "./status.js";
import {agoOf, countText, timeOf} from "./time.js";
import {plural, stateWord} from "./words.js";

/// `dead`: {count, more} of its dead letters, null while it is not known. `changed()` is called after a change.
export function drawSink(sink, {dead, isMarked, changed}) {
  const {tone, word, why} = sinkWords(sink);
  const id = `sink-${sink.sink}`;
  return h("section", {
    class: `card sink ${isMarked ? "marked" : ""}`,
    id,
    "aria-labelledby": `${id}-name`,
    "data-name": sink.sink,
    tabindex: "-1"
  },
    h("div", {class: "card-head"}, h("h2", {id: `${id}-name`}, sink.sink), stateWord(tone, word),
      sink.plugin && h("span", {class: "muted"}, sink.plugin)),
    why && h("p", {class: "why"}, why), h("dl", {class: "facts"}, drawFacts(sink, dead)),
    sink.places?.length > 0 && drawPlaces(sink.places), sink.last_hour && drawHour(sink.last_hour),
    drawButtons(sink, dead, changed));
}

function drawFacts(sink, dead) {
  const waiting = href("/deliveries", {}, {sink: sink.sink, state: "pending,held"});
  const dying = href("/deliveries", {}, {sink: sink.sink, state: "dead"});
  return [
    fact("Waiting",
      sink.pending > 0 ?
        [
          h("a", {href: waiting}, plural(sink.pending, "delivery", "deliveries")),
          sink.oldest && [", the oldest from ", agoOf(sink.oldest)]
        ] :
        "nothing",
      sink.in_flight > 0 && `, ${countText(sink.in_flight)} being sent`),
    fact("Dead letters", drawDead(dead, dying)),
    sink.until &&
      (sink.state === "paused" ? fact("Goes on", countdown(sink.until), " (", timeOf(sink.until), ")") :
                                 fact("Next try", countdown(sink.until))),
    fact("Pace", sink.rate ? paceText(sink.rate) : "no limit",
      sink.concurrency && `, ${concurrencyText(sink.concurrency)}`),
    fact("Fallback", sink.fallback ? h("a", {href: href("/sinks", {}, {name: sink.fallback})}, sink.fallback) : "none"),
  ];
}

function drawDead(dead, address) {
  if (dead === null) return h("span", {class: "muted"}, "…");
  if (dead.count > 0)
    return h("a", {href: address}, `${dead.more ? "at least " : ""}${countText(dead.count)} not delivered`);
  return dead.more ? ["none of the latest, ", h("a", {href: address}, "look further")] : "none";
}

function drawPlaces(places) {
  return h("details", {class: "places", open: places.length <= 3}, h("summary", {}, placesText(places)),
    h("ul", {},
      places.map(
        (place) => h("li", {}, h("b", {}, place.name), `: ${place.because ?? "no reason given"}. `,
          plural(place.waiting, "delivery waits", "deliveries wait"), ", next try ", countdown(place.next_try)))));
}

function drawButtons(sink, dead, changed) {
  if (!may("change")) return null;
  const act = (label, ask) => h("button", {
    type: "button",
    "data-act": label.replace(/[^a-z]+/gi, "-"),
    "aria-label": `${label.replace("…", "")} ${sink.sink}`,
    onclick: asking(async () => (await ask()) && changed())
  },
    label);
  const resumes = ["paused", "misconfigured", "failing", "unavailable"].includes(sink.state);
  return h("div", {class: "buttons"}, resumes && act("Resume…", () => askResume(sink.sink)),
    sink.state !== "removed" && sink.state !== "paused" && act("Pause…", () => askPause(sink)),
    sink.state !== "removed" && act("Send a test…", () => askTest(sink.sink)),
    dead?.count > 0 &&
      act(`Replay ${dead.more ? "all" : countText(dead.count)} dead…`,
        () => askReplayDeliveries({sink: sink.sink, state: "dead"})),
    (sink.pending > 0 || dead?.count > 0) &&
      act("Purge…", () => askPurge({sink: sink.sink, state: purgeable(sink, dead)})));
}

function purgeable(sink, dead) {
  return [sink.pending > 0 && "pending,held", dead?.count > 0 && "dead"].filter(Boolean).join(",");
}
