// Events by a search, newest first, and the refused requests down to the oldest of them: as the router has them, read
// page by page.

import {get} from "./api.js";

const PAGE = 200;

/// Fields: events, refused (rows with `refused: true`), index ({complete, behind} or null), isCut (rows in the middle
/// were forgotten, so nothing older can be read).
export class LivePages {
  constructor(search, filter) {
    this.search = search;
    this.filter = filter;
    this.events = [];
    this.refused = [];
    this.index = null;
    this.isCut = false;
    // Undefined: nothing was read yet; null: nothing older is left.
    this.cursor = filter.only ? null : undefined;
    this.refusedCursor = filter.show ? undefined : null;
    this.lastRefusedAt = "";
  }

  get isRead() {
    return this.cursor !== undefined && this.refusedCursor !== undefined;
  }

  get isDone() {
    return this.cursor === null && this.refusedCursor === null;
  }

  get size() {
    return this.events.length + this.refused.length;
  }

  /// What is older is not wholly read; "": everything is.
  get oldest() {
    return this.cursor === null ? "" : this.events.at(-1)?.received_at ?? "";
  }

  /// Reads the next older rows.
  async more(signal) {
    if (this.cursor !== null) await this.moreEvents(signal);
    await this.moreRefused(signal);
  }

  async moreEvents(signal) {
    // An empty page with a cursor means that the router looked for its 200 ms and found nothing yet.
    do {
      const page = await this.ask(this.cursor, signal);
      const known = new Set(this.events.map((event) => event.id));
      this.events.push(...page.events.filter((event) => !known.has(event.id)));
      this.cursor = page.cursor;
      this.index = page.index ?? null;
      if (page.events.length > 0) break;
    } while (this.cursor !== null);
  }

  ask(cursor, signal) {
    return get("events", {details: "true", limit: String(PAGE), search: this.search || null, cursor}, {signal});
  }

  async moreRefused(signal) {
    while (this.refusedCursor !== null && (this.refusedCursor === undefined || this.lastRefusedAt >= this.oldest)) {
      const page = await get("refused", {limit: String(PAGE), cursor: this.refusedCursor}, {signal});
      this.refusedCursor = page.cursor;
      this.lastRefusedAt = page.refused.at(-1)?.at ?? "";
      for (const refused of page.refused) this.putRefused(refused);
      if (this.filter.only && page.refused.length > 0) break;
    }
  }

  /// Puts an event where its time is, or in place of what was known of it; not if it belongs to what is not read yet.
  put(event) {
    const known = this.events.findIndex((other) => other.id === event.id);
    if (known >= 0) return void (this.events[known] = event);
    if (event.received_at < this.oldest) return;
    const at = this.events.findIndex((other) => other.received_at <= event.received_at);
    this.events.splice(at < 0 ? this.events.length : at, 0, event);
  }

  /// The same, of a refused request that fits the search.
  putRefused(refused) {
    if (!this.filter.fits(refused)) return;
    const row = asRow(refused);
    if (!this.refused.some(({id}) => id === row.id)) this.refused.push(row);
  }

  /// The events of the search's first page that are not here: {added, isMore: there may be more of them, take()}.
  /// take() puts them here, and what the page says in place of what was known.
  async newest(signal) {
    const page = await this.ask(undefined, signal);
    this.index = page.index ?? null;
    const known = new Set(this.events.map((event) => event.id));
    const added = page.events.filter((event) => !known.has(event.id));
    const take = () => {
      const fresh = new Map(page.events.map((event) => [event.id, event]));
      const next = [...added, ...this.events.map((event) => fresh.get(event.id) ?? event)];
      this.events = kept(next.sort(newestFirst), this.events);
    };
    return {added, isMore: added.length >= PAGE, take};
  }

  /// All that is wholly read, newest first.
  rows() {
    const {oldest} = this;
    const refused = this.refused.filter((one) => one.received_at >= oldest);
    return refused.length === 0 ? [...this.events] : [...this.events, ...refused].sort(newestFirst);
  }

  /// Takes the rows of `old` that say the same, so that their elements stay.
  keepRowsOf(old) {
    this.events = kept(this.events, old.events);
    this.refused = kept(this.refused, old.refused);
  }

  /// Forgets all but the newest rows; what is older has to be read again.
  cut() {
    this.isCut = true;
    this.events.length = Math.min(this.events.length, PAGE);
    this.refused = this.refused.sort(newestFirst).slice(0, PAGE);
  }
}

/// The row of a refused request.
export function asRow(refused) {
  return {...refused, refused: true, id: `refused-${refused.number}`, received_at: refused.at};
}

function kept(rows, known) {
  const byId = new Map(known.map((row) => [row.id, row]));
  return rows.map((row) => {
    const before = byId.get(row.id);
    return before && JSON.stringify(before) === JSON.stringify(row) ? before : row;
  });
}

function newestFirst(a, b) {
  return a.received_at < b.received_at ? 1 : a.received_at > b.received_at ? -1 : a.id < b.id ? 1 : -1;
}
