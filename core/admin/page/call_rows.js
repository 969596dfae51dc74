// Calls made of the newest events: one row a call, kept up to date by the stream.

import {Tally} from "./outcomes.js";

const MOST = 20000;  // events that are known at once

/// Fields: seen (how many events the rows are of), isFull (older calls are left out).
export class CallRows {
  constructor() {
    this.calls = new Map();   // source and call -> {event, ids, tally, row}; the row is made when it is asked for
    this.events = new Map();  // event's id -> its call; null: it has none
    this.isFull = false;
  }

  get size() {
    return this.calls.size;
  }

  get seen() {
    return this.events.size;
  }

  /// An event of a page, or of the stream (`isNewer`), which knows better. The newest of a call says how it stands.
  take(event, isNewer) {
    if (!isNewer && this.events.has(event.id)) return;
    const key = event.call_id ? `${event.source} ${event.call_id}` : null;
    if (key !== null && !this.calls.has(key))
      this.calls.set(key, {event, ids: new Set(), tally: new Tally(), row: null});
    const call = this.calls.get(key) ?? null;
    this.events.set(event.id, call);
    if (call !== null) putInto(call, event, isNewer);
    if (this.events.size > MOST && isNewer) this.cut();
  }

  /// A delivery as the stream tells it.
  update(delivery) {
    const call = this.events.get(delivery.event);
    if (!call) return;
    call.tally.put(delivery);
    call.row = null;
  }

  get hasRoom() {
    return !this.isFull && this.events.size < MOST;
  }

  /// The calls, the newest first. A row is the same object as long as it says the same.
  rows() {
    const sorted = [...this.calls].sort(([, a], [, b]) => a.event.received_at < b.event.received_at ? 1 : -1);
    return sorted.map(([key,
      call]) => call.row ??= {...call.event, id: key, events: call.ids.size, outcomes: call.tally.list(), note: null});
  }

  // Forgets the events that are of no call, and the oldest calls.
  cut() {
    this.isFull = true;
    for (const [id, call] of this.events)
      if (call === null) this.events.delete(id);
    const rows = this.rows();
    while (this.events.size > MOST * 0.9 && rows.length > 1) {
      const {id} = rows.pop();
      for (const event of this.calls.get(id).ids) this.events.delete(event);
      this.calls.delete(id);
    }
  }
}

function putInto(call, event, isNewer) {
  const at = event.received_at;
  const stands = at > call.event.received_at || event.id === call.event.id || isNewer && at === call.event.received_at;
  const [shown, other] = stands ? [event, call.event] : [call.event, event];
  call.event = {
    ...shown,
    duration: shown.duration ?? other.duration,
    agent: shown.agent ?? other.agent,
    status: shown.status ?? other.status
  };
  call.ids.add(event.id);
  call.row = null;
  for (const outcome of event.outcomes ?? []) call.tally.put(outcome);
}
