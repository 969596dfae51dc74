// All events of one call with what became of them, in the order of time. A call may have tens of thousands.

import {at, get} from "../api.js";
import {offset} from "../call_side.js";
import {h, show} from "../dom.js";
import {bind} from "../keys.js";
import {makeList} from "../list.js";
import {withDelivery} from "../outcomes.js";
import {eventRow, rowHead} from "../row.js";
import {makeRefresh} from "../refresh.js";
import {href, setQuery} from "../router.js";
import {quoted} from "../search_text.js";
import {on} from "../stream.js";
import {durationText, exactText, timeOf} from "../time.js";
import {plural} from "../words.js";

const PAGE = 500;
const READ_AGAIN = 2000;  // events that are read again after a gap; older ones when somebody scrolls to them
const AGAIN_MS = 2000;

export default {
  name: "Call",
  path: "/call/:id",
  under: "calls",
  title: (params) => `Call ${params.id}`,
  render(container, {params: {id}, query}) {
    const newest = query.order === "newest";
    const onlySent = query.sent === "1";
    const head = h("div", {});
    const foot = h("p", {class: "foot muted", role: "status"}, "Loading…");
    let call = null;
    let events = [];
    let cursor;
    let loading = false;
    let reading = false;
    let meanwhile = [];  // what arrived while a page was read; it is newer
    let isStale = false;
    let failure = null;
    let frame = 0;
    let ended = false;
    const list = makeList({
      keyOf: (event) => event.id,
      label: "The call's events",
      nearEnd: more,
      make: (event) => eventRow(event, {first: offsetOf(event)})
    });
    const chips = h("div", {class: "bar", hidden: true},
      h("div", {class: "filters"}, chip("Oldest first", !newest, {order: null}),
        chip("Newest first", newest, {order: "newest"}), chip("All events", !onlySent, {sent: null}),
        chip("Only what was sent", onlySent, {sent: "1"})),
      h("div", {class: "tools"}, h("a", {href: href("/live", {}, {search: `call:${quoted(id)}`})}, "Search in Live")));
    container.append(head, chips, rowHead("After the first"), list.element, foot);

    function offsetOf(event) {
      const ms = Date.parse(event.received_at) - Date.parse(call.first);
      return h("span", {class: "when"},
        h("time", {datetime: event.received_at, title: exactText(new Date(event.received_at))}, `+${offset(ms)}`), " ",
        h("span", {class: "ago"}, timeOf(event.received_at)));
    }

    async function more() {
      if (loading || reading || failure || cursor === null || ended) return;
      loading = true;
      meanwhile = [];
      try {
        const part = await page(cursor);
        if (ended || reading) return;
        add(part.events);
        cursor = part.cursor;
        failure = null;
        for (const message of meanwhile) apply(message);
      } catch (error) {
        fail(error);
      } finally {
        loading = false;
      }
      if (!ended) draw();
    }

    // The call itself comes oldest first; newest first it is a list of events like any other.
    async function page(from) {
      let part = null;
      if (from === undefined || !newest)
        part = call = await get(at("calls", id), {source: query.source, limit: newest ? 1 : PAGE, cursor: from});
      if (!newest) return part;
      return get("events", {call_id: id, source: query.source, details: "true", limit: PAGE, cursor: from});
    }

    function add(part) {
      const known = new Set(events.map((event) => event.id));
      events = [...events, ...part.filter((event) => !known.has(event.id))];
    }

    // The old rows stay until the new ones are there.
    async function readAgain() {
      if (!isStale) return;
      isStale = false;
      reading = true;
      meanwhile = [];
      const fresh = [];
      let next;
      try {
        do {
          const part = await page(next);
          fresh.push(...part.events);
          next = part.cursor;
        } while (!ended && next !== null && fresh.length < Math.min(events.length, READ_AGAIN));
        events = fresh;
        cursor = next;
        failure = null;
        for (const message of meanwhile) apply(message);
      } catch (error) {
        fail(error);
      } finally {
        reading = false;
      }
      soon();
    }
    const refresh = makeRefresh(readAgain, {soonMs: AGAIN_MS});

    function fail(error) {
      failure = error;
      isStale = error.mayPass;
      refresh.soon();
    }

    function apply({event, delivery}) {
      const known = events.findIndex((other) => other.id === (event?.id ?? delivery.event));
      if (delivery) {
        if (known >= 0) events[known] = withDelivery(events[known], delivery);
        return;
      }
      if (known < 0 && call !== null) call = {...call, count: call.count + 1, last: event.received_at};
      if (known >= 0)
        events[known] = event;
      else if (newest)
        events.unshift(event);
      else if (cursor === null)
        events.push(event);
    }

    function arrived(message) {
      const {call_id, source} = message.event ?? message.delivery;
      if (call_id !== id || query.source && source && query.source !== source) return;
      if (loading || reading) meanwhile.push(message);
      if (cursor !== undefined) apply(message);
      soon();
    }

    // Many messages may come between two frames.
    function soon() {
      if (!ended) frame ||= requestAnimationFrame(draw);
    }

    function draw() {
      frame = 0;
      const shown = onlySent ? events.filter((event) => event.outcomes?.length > 0) : [...events];
      if (call === null && !failure) return;
      if (failure)
        show(foot, h("span", {class: "problem"}, failure.message));
      else
        show(foot,
          cursor === null ? (onlySent && shown.length === 0 ? "None of its events was sent anywhere." : "") :
                            `${plural(events.length, "event")} of ${call?.count ?? "…"} loaded…`);
      if (call === null) return;
      drawHead();
      list.set(shown);
    }

    function drawHead() {
      chips.hidden = false;
      show(head, h("h1", {}, "Call ", h("span", {class: "mono wrap"}, id)),
        h("dl", {class: "facts"}, h("dt", {}, "Events"),
          h("dd", {}, plural(call.count, "event"),
            call.count > 1 && ` in ${durationText((Date.parse(call.last) - Date.parse(call.first)) / 1000)}`,
            call.complete === false && "; perhaps there are more: not all could be read in time"),
          h("dt", {}, "First"), h("dd", {}, timeOf(call.first)), h("dt", {}, "Agent"),
          h("dd", {}, call.agent ?? "none"), h("dt", {}, "Source"), h("dd", {}, call.sources.join(", "))));
    }

    function chip(label, pressed, changes) {
      return h("button",
        {type: "button", class: "chip", "aria-pressed": String(pressed), onclick: () => setQuery(changes)}, label);
    }

    const ends = [
      refresh.end,
      on("event", (event) => arrived({event})),
      on("delivery", (delivery) => arrived({delivery})),
      on("gap",
        () => {
          isStale = true;
          refresh.soon();
        }),
      bind("j", "next row", () => list.move(1)),
      bind("k", "row before", () => list.move(-1)),
    ];
    more();
    return {
      dispose() {
        ended = true;
        cancelAnimationFrame(frame);
        list.dispose();
        for (const end of ends) end();
      },
    };
  },
};
