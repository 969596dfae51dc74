// Whether what callers said is shown. `inspector.bodies` in the config decides what is possible: with "full" this page
// hides it until somebody asks, with "masked" an event's page can show it (which is recorded), with "off" nothing can.
// The choice is kept in this tab only, and ends with it.

import {at, post} from "./api.js";

let bodies = "full";
let wanted = false;
const listeners = new Set();

/// What showing something that the config withholds does, said beside its button.
export const UNMASK_NOTE = " Who shows it, and when, is kept in Actions.";

/// Whether the body of an event is withheld, rather than no longer stored.
export function hidesBody(event) {
  return (event.masked ?? []).some((name) => name === "raw" || name === "raw_base64");
}

/// The event with nothing withheld.
export function unmaskEvent(id) {
  return post(at("events", id, "unmask"), undefined, {exact: true});
}

export function useBodies(value) {
  if (value && value !== bodies) {
    bodies = value;
    notify();
  }
}

export function bodiesMode() {
  return bodies;
}

/// Whether bodies are hidden now.
export function isMasked() {
  return bodies !== "full" || !wanted;
}

export function setShown(value) {
  wanted = value;
  notify();
}

/// The parameter for GET events/{id} and the like.
export function maskParams() {
  return bodies === "full" && !wanted ? {mask: "true"} : {};
}

export function onMask(callback) {
  listeners.add(callback);
  return () => listeners.delete(callback);
}

function notify() {
  for (const callback of [...listeners]) callback();
}

/// `next` is `old` read again and masked by the config, after somebody had it shown: what was shown stays.
export function keepShown(old, next) {
  const attempts = new Map(old.deliveries.flatMap(
    (delivery) => delivery.attempts.map((attempt) => [`${delivery.id} ${attempt.number}`, attempt])));
  const keep = (delivery) => (attempt) => {
    const {request = null, response = null} = attempts.get(`${delivery.id} ${attempt.number}`) ?? {};
    return {...attempt, request: attempt.request ?? request, response: attempt.response ?? response};
  };
  const {raw, raw_base64, fields, normalized, revisions, masked} = old;
  const deliveries =
    next.deliveries.map((delivery) => ({...delivery, attempts: delivery.attempts.map(keep(delivery))}));
  return {...next, raw, raw_base64, fields, normalized, revisions, masked, deliveries};
}
