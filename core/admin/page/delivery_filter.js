// A search of Live as a filter of deliveries, where both can say the same.

import {terms} from "./search_text.js";

const KEYS = {
  agent: "agent",
  status: "status",
  source: "source",
  call: "call_id",
  sink: "sink",
  rule: "rule",
  state: "state",
  after: "since",
  since: "since",
  before: "until",
  until: "until",
};

const EXACT = new Set(["sink", "rule", "source", "call_id", "status"]);

/// The filter for GET /deliveries; null if a term means something that deliveries cannot be filtered by.
export function deliveryFilterOf(search) {
  const filter = {};
  for (const {key, negated, value} of terms(search)) {
    const name = negated ? undefined : KEYS[key];
    const isList = value.includes(",") && name !== "state";
    const isGlob = /[*?]/.test(value) && EXACT.has(name);
    if (!name || name in filter || isList || isGlob || value === "") return null;
    filter[name] = deliveryValue(name, value);
  }
  return filter;
}

/// `value` as GET /deliveries takes it, which a search takes as it comes: a day is its beginning, states and statuses
/// have small letters.
export function deliveryValue(name, value) {
  if (name === "state" || name === "status") return value.toLowerCase();
  const isTime = name === "since" || name === "until";
  return isTime && /^\d{4}-\d\d-\d\d$/.test(value) ? `${value}T00:00:00Z` : value;
}
