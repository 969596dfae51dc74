// What became of events, as lists give it and as the stream's `delivery` messages change it.

import {outcomeWords} from "./words.js";

/// `event` with `delivery` among its outcomes.
export function withDelivery(event, delivery) {
  const outcomes = [...event.outcomes ?? []];
  const at = outcomes.findIndex((outcome) => outcome.id === delivery.id);
  const outcome = {latency_ms: outcomes[at]?.latency_ms ?? null, ...delivery};
  outcomes.splice(at < 0 ? outcomes.length : at, 1, outcome);
  return {...event, outcomes};
}

/// The outcomes of many events, counted by what is said of them: a call may have tens of thousands.
export class Tally {
  constructor() {
    this.keys = new Map();    // delivery's id -> key of its group
    this.groups = new Map();  // key -> delivery's id -> outcome
  }

  /// In place of what was known of the same delivery.
  put(outcome) {
    const {tone, short, more} = outcomeWords(outcome);
    const key = JSON.stringify([outcome.sink, short, tone === "ok" ? null : more, outcome.is_replay ?? false]);
    const before = this.keys.get(outcome.id);
    if (before !== undefined && before !== key) {
      const group = this.groups.get(before);
      group.delete(outcome.id);
      if (group.size === 0) this.groups.delete(before);
    }
    this.keys.set(outcome.id, key);
    if (!this.groups.has(key)) this.groups.set(key, new Map());
    this.groups.get(key).set(outcome.id, outcome);
  }

  /// One outcome of each group, with `times`: how many there are. A time is that of one.
  list() {
    return [...this.groups.values()].map((group) => {
      const [first] = group.values();
      return {...first, latency_ms: group.size > 1 ? null : first.latency_ms, times: group.size};
    });
  }
}
