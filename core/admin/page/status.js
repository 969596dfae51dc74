// GET /status, read again when something changed and every half a minute.

import {get} from "./api.js";
import {useBodies} from "./mask.js";
import {makeRefresh} from "./refresh.js";
import {on} from "./stream.js";

let current = null;
const listeners = new Set();

/// The last status, or null.
export function status() {
  return current;
}

/// Whether the caller may do that: "read", "metrics" or "change".
export function may(right) {
  const order = ["metrics", "read", "change"];
  return current !== null && order.indexOf(current.may ?? "change") >= order.indexOf(right);
}

export function onStatus(callback) {
  listeners.add(callback);
  return () => listeners.delete(callback);
}

const refresh = makeRefresh(read, {soonMs: 300, everyMs: 30000});

/// Reads it now; returns a promise of its end.
export const refreshStatus = refresh.now;

async function read() {
  try {
    current = await get("status");
    useBodies(current.bodies);
    for (const callback of [...listeners]) callback(current);
  } catch {
    // The state of the stream says that the router does not answer.
  }
}

for (const kind of ["sink", "reload", "gap"]) on(kind, refresh.soon);
on("state", (state) => {
  if (state.kind === "live") refresh.soon();
});
