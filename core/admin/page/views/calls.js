// The calls of the newest events: one row a call, with all that was sent for it.

import {get} from "../api.js";
import {CallRows} from "../call_rows.js";
import {h, show} from "../dom.js";
import {bind} from "../keys.js";
import {makeList} from "../list.js";
import {makeRefresh} from "../refresh.js";
import {go, href} from "../router.js";
import {eventRow, rowHead} from "../row.js";
import {on} from "../stream.js";
import {plural} from "../words.js";

const PAGE = 500;
const READ_AGAIN = 2000;  // events that are read again after a gap
const AGAIN_MS = 2000;
// One call may have most of the events: the list is not filled for ever to fill the screen.
const FEW = 20;
const IDLE_PAGES = 3;

export default {
  name: "Calls",
  path: "/calls",
  nav: 2,
  title: () => "Calls",
  render(container) {
    let calls = new CallRows();
    let cursor;
    let idle = 0;  // pages in a row that brought hardly a call
    let loading = false;
    let reading = false;
    let meanwhile = [];  // what arrived while a page was read; it is newer
    let isStale = false;
    let failure = null;
    let frame = 0;
    let ended = false;
    const foot = h("p", {class: "foot muted", role: "status"}, "Loading…");
    const list = makeList({keyOf: (row) => row.id, make: drawRow, nearEnd: () => more(), label: "Calls"});
    const id = h("input", {
      type: "text",
      id: "call",
      placeholder: "Call id",
      "aria-label": "Call id",
      spellcheck: "false",
      autocomplete: "off"
    });
    const form = h("form", {class: "tools"}, id, h("button", {type: "submit"}, "Open"));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (id.value.trim()) go(href("/call/:id", {id: id.value.trim()}));
    });
    container.append(h("div", {class: "bar"}, h("h1", {}, "Calls"), form), rowHead("Last event"), list.element, foot);

    const older = h("button", {type: "button", hidden: true, onclick: () => more(true)}, "Look for calls further back");
    container.append(older);

    async function more(isAsked = false) {
      if (isAsked) idle = 0;
      if (loading || reading || failure || cursor === null || ended) return;
      if (!calls.hasRoom || idle >= IDLE_PAGES) return;
      loading = true;
      meanwhile = [];
      const mine = calls;
      const before = calls.size;
      try {
        const page = await readPage(calls, cursor);
        if (mine !== calls) return;
        cursor = page.cursor;
        idle = calls.size - before < FEW ? idle + 1 : 0;
        failure = null;
        for (const message of meanwhile) apply(message);
      } catch (error) {
        fail(error);
      } finally {
        loading = false;
      }
      if (!ended) draw();
    }

    async function readPage(into, from) {
      const page = await get("events", {details: "true", limit: PAGE, cursor: from});
      for (const event of page.events) into.take(event, false);
      return page;
    }

    // The old rows stay until the new ones are there.
    async function readAgain() {
      if (!isStale) return;
      isStale = false;
      reading = true;
      meanwhile = [];
      const fresh = new CallRows();
      let next;
      try {
        do {
          next = (await readPage(fresh, next)).cursor;
        } while (!ended && next !== null && fresh.seen < Math.min(calls.seen, READ_AGAIN));
        calls = fresh;
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
      if (event)
        calls.take(event, true);
      else
        calls.update(delivery);
    }

    function arrived(message) {
      if (loading || reading) meanwhile.push(message);
      apply(message);
      soon();
    }

    // Many messages may come between two frames.
    function soon() {
      if (!ended) frame ||= requestAnimationFrame(draw);
    }

    function draw() {
      frame = 0;
      const rows = calls.rows();
      if (failure)
        show(foot, h("span", {class: "problem"}, failure.message));
      else
        show(foot, footText(rows.length));
      older.hidden = cursor === null || !calls.hasRoom || idle < IDLE_PAGES;
      list.set(rows);
    }

    function footText(count) {
      if (cursor === undefined) return "Loading…";
      if (count === 0 && cursor === null) return "No call is stored yet.";
      const found = calls.isFull ? `The newest ${plural(count, "call")}.` :
                                   `${plural(count, "call")} in the newest ${plural(calls.seen, "event")}.`;
      return found + (calls.hasRoom ? "" : " Older ones are found by a search in Live.");
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

function drawRow(call) {
  return eventRow(
    call, {href: href("/call/:id", {id: call.call_id}, {source: call.source}), tag: plural(call.events, "event")});
}
