// A sink's state and pace in words.

import {shortText} from "./time.js";
import {plural} from "./words.js";

const STATES = {
  open: ["ok", "works"],
  throttled: ["wait", "asked to slow down"],
  probing: ["wait", "being tried again"],
  paused: ["wait", "paused"],
  failing: ["bad", "fails"],
  misconfigured: ["bad", "misconfigured"],
  unavailable: ["bad", "unavailable"],
  removed: ["off", "no longer in the config"],
};

/// {tone, word, why}: `why` is a sentence, or null if nothing has to be explained.
export function sinkWords({state, because, since, until}) {
  const [tone, word] = STATES[state] ?? ["off", state];
  if (tone === "ok") return {tone, word, why: null};
  const reason = because && because !== word ? because : null;
  if (state === "paused") {
    const end = until ? `until ${shortText(new Date(until))}` : "until it is resumed";
    const why = reason?.replace(/^paused by the operator:? ?/, "");
    return {tone, word, why: `Nothing is sent ${end}${why ? `: ${why}` : ""}.`};
  }
  const from = since ? `Since ${shortText(new Date(since))}` : "";
  if (!reason) return {tone, word, why: from && `${from}.`};
  return {tone, word, why: from ? sentence(`${from}: ${reason}`) : sentence(reason)};
}

/// `text` with a capital first and a full stop at its end.
export function sentence(text) {
  return text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?…]$/.test(text) ? "" : ".");
}

/// "1 a second, bursts of 3", "20 in 1m 30s".
export function paceText({max, per, burst}) {
  const units = {1: "a second", 60: "a minute", 3600: "an hour", 86400: "a day"};
  const pace = units[per] ? `${max} ${units[per]}` : `${max} in ${per} s`;
  return burst > 1 ? `${pace}, bursts of ${burst}` : pace;
}

/// "one at a time", "4 at a time".
export function concurrencyText(n) {
  return n === 1 ? "one at a time" : `up to ${n} at a time`;
}

/// What is wrong with some of a sink's places (channels, recipients), as a sentence.
export function placesText(places) {
  const waiting = places.reduce((sum, place) => sum + place.waiting, 0);
  return `${plural(places.length, "place refuses", "places refuse")} what is sent there, ${
    plural(waiting, "delivery waits", "deliveries wait")}. Others are delivered.`;
}
