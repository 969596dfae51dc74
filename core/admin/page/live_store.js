// What Live shows: events by the search, newest first, with the refused requests between them by their time, kept up to
// date by the stream. A pause holds everything that arrives.

import {asRow, LivePages} from "./live_pages.js";
import {withDelivery} from "./outcomes.js";
import {makeRefresh} from "./refresh.js";
import {refusedFilter} from "./search_text.js";
import {on} from "./stream.js";

const MOST = 5000;        // rows kept while they come in by themselves
const READ_AGAIN = 2000;  // rows that are read again after a gap; older ones when somebody scrolls to them
const AGAIN_MS = 1000;    // a search is run again at most this often for what came in
const RETRY_MS = 5000;

/// Calls `changed()` after each change. Fields: rows (events, and refused requests with `refused: true`), held (how
/// many rows a pause holds back) and heldMore (there are more), error, loading; pages, from which the rows are.
export class LiveStore {
  constructor(changed, againMs = AGAIN_MS) {
    this.changed = changed;
    this.search = null;
    this.paused = false;
    this.byScroll = false;  // the pause is the view's own, because somebody reads further down
    this.isShown = true;
    this.refresh = makeRefresh(() => this.readAgain(), {soonMs: againMs, everyMs: RETRY_MS});
    this.ends = [
      this.refresh.end,
      on("event", (event) => this.arrived({kind: "event", data: event})),
      on("refused", (refused) => this.arrived({kind: "refused", data: refused})),
      on("delivery", (delivery) => this.arrived({kind: "delivery", data: delivery})),
      on("gap", () => this.arrived({kind: "gap"})),
    ];
    this.reset("");
  }

  reset(search) {
    this.filter = refusedFilter(search);
    this.pages = new LivePages(search, this.filter);
    this.rows = [];
    this.queue = [];
    this.heldIds = new Set();
    this.heldMore = false;
    this.meanwhile = null;  // what arrived while all was read; it is newer
    this.need = null;       // what has to be read again: "newest" or "loaded"
    this.error = null;
    this.loading = false;
    this.request?.abort();
    this.request = new AbortController();
    cancelAnimationFrame(this.frame);
    this.frame = 0;
  }

  get held() {
    return this.heldIds.size;
  }

  dispose() {
    this.reset("");
    for (const end of this.ends) end();
  }

  use(search) {
    // What failed is tried again, as after a sign-in.
    if (search === this.search && !this.error) return;
    // Nobody reads further down in another list.
    if (search !== this.search && this.byScroll) this.paused = this.byScroll = false;
    this.reset(search);
    this.search = search;
    this.more();
  }

  /// While it is not shown it asks for nothing; what it needs it reads when it is shown again.
  setShown(isShown) {
    this.isShown = isShown;
    if (isShown && this.need) this.refresh.now();
  }

  setPaused(paused, byScroll = false) {
    this.paused = paused;
    this.byScroll = paused && byScroll;
    if (paused) return this.changed();
    const {queue} = this;
    this.queue = [];
    this.heldIds.clear();
    this.heldMore = false;
    for (const message of queue) this.take(message);
    if (this.need) this.refresh.now();
    this.build();
  }

  /// Loads the next older rows.
  async more() {
    const {pages, request} = this;
    if (this.loading || pages.isDone || pages.isCut || this.error) return;
    this.loading = true;
    if (!pages.isRead) this.meanwhile = [];
    this.changed();
    let failure = null;
    try {
      await pages.more(request.signal);
    } catch (error) {
      failure = error;
    }
    if (request !== this.request) return;
    this.loading = false;
    if (pages === this.pages) {
      this.error = failure;
      this.takeMeanwhile();
    }
    if (this.need) this.refresh.soon();
    this.build();
  }

  takeMeanwhile() {
    const messages = this.meanwhile ?? [];
    this.meanwhile = null;
    for (const message of messages) this.take(message);
  }

  arrived(message) {
    if (this.search === null) return;
    if (this.error && this.error.code !== "invalid_search") this.ask("loaded");
    if (!this.paused) {
      this.meanwhile?.push(message);
      this.take(message);
      return this.build();
    }
    this.queue.push(message);
    if (message.kind === "refused")
      this.hold([message.data].filter(this.filter.fits).map(asRow));
    else if (message.kind === "event" && !this.search)
      this.hold([message.data]);
    else if (message.kind !== "delivery")
      this.ask("newest");
    if (this.queue.length > MOST) this.queue = [{kind: "gap"}];
    this.changed();
  }

  // An event that the list has already, or that was sent again, is no new row.
  hold(rows) {
    const known = new Set(this.rows.map((row) => row.id));
    for (const {id} of rows) {
      if (known.has(id) || this.heldIds.has(id)) continue;
      if (this.heldIds.size < MOST)
        this.heldIds.add(id);
      else
        this.heldMore = true;
    }
  }

  take({kind, data}) {
    if (kind === "gap") return this.ask("loaded");
    if (!this.pages.isRead) return;
    if (kind === "refused") {
      this.pages.putRefused(data);
    } else if (kind === "delivery") {
      this.update(data);
    } else if (this.search) {
      this.ask("newest");
    } else {
      this.pages.put(data);
    }
    this.trim();
  }

  trim() {
    if (this.pages.events.length <= MOST && this.pages.refused.length <= MOST) return;
    this.pages.cut();
    this.ask("loaded");
  }

  update(delivery) {
    const at = this.pages.events.findIndex((event) => event.id === delivery.event);
    if (at < 0) return;
    this.pages.events[at] = withDelivery(this.pages.events[at], delivery);
    if (this.search) this.ask("newest");
  }

  ask(need) {
    if (this.need !== "loaded") this.need = need;
    this.refresh.soon();
  }

  async readAgain() {
    const {need, request} = this;
    if (need === null || !this.isShown || !this.pages.isRead && !this.error) return;
    this.need = null;
    try {
      if (need === "loaded")
        await this.readLoaded();
      else if (!this.filter.only)
        await this.readNewest();
    } catch {
      // It is tried again; that the router does not answer is said elsewhere.
      if (request !== this.request) return;
      this.need = need;
      this.meanwhile = null;
    }
    if (request === this.request) this.build();
  }

  // The old rows stay until the new ones are there.
  async readLoaded() {
    if (this.paused) return void this.queue.push({kind: "gap"});
    const {request} = this;
    const old = this.pages;
    const pages = new LivePages(this.search, this.filter);
    this.meanwhile = [];
    const isShort = () => pages.oldest > old.oldest || pages.size < old.size;
    do {
      await pages.more(request.signal);
    } while (old.isRead && !pages.isDone && pages.size < READ_AGAIN && isShort());
    if (request !== this.request) return;
    if (this.paused) {
      this.meanwhile = null;
      return void this.queue.push({kind: "gap"});
    }
    pages.keepRowsOf(old);
    this.pages = pages;
    this.error = null;
    this.takeMeanwhile();
  }

  // What a search finds only the router knows: its first page is asked for again.
  async readNewest() {
    const {request, pages} = this;
    const {added, isMore, take} = await pages.newest(request.signal);
    if (request !== this.request || pages !== this.pages) return;
    if (this.paused) {
      this.hold(added);
      this.heldMore ||= isMore;
    } else if (isMore) {
      await this.readLoaded();
    } else {
      take();
      this.trim();
    }
  }

  // Many messages may come between two frames; the rows are sorted once.
  build() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      if (this.pages.isRead || this.error) this.rows = this.pages.rows();
      this.changed();
    });
  }
}
