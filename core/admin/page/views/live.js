// Live: what just came in, newest on top, and what became of it.

import {h, show} from "../dom.js";
import {bind} from "../keys.js";
import {makeList} from "../list.js";
import {LiveStore} from "../live_store.js";
import {href} from "../router.js";
import {eventRow, refusedRow, rowHead} from "../row.js";
import {makeSearchTools} from "../search_tools.js";
import {searchBox} from "../shell.js";
import {onStatus} from "../status.js";
import {countText} from "../time.js";
import {plural} from "../words.js";

const FILTERS = [
  ["Everything", ""],
  ["Calls that failed", "status:unsuccessful"],
  ["Not delivered", "state:dead"],
  ["Waiting", "state:pending,held"],
  ["No rule wanted it", "is:unmatched"],
  ["Refused", "is:refused"],
];

let store = null;  // outlives the view, so that "back" finds the list as it was
let scrolled = 0;
let focused = null;

export default {
  name: "Live",
  path: "/live",
  nav: 1,
  title: (params, query) => query.search || "Live",
  render(container, {query}) {
    store ??= new LiveStore(() => changed());
    const list = makeList({
      keyOf: (row) => row.id,
      make: (row) => row.refused ? refusedRow(row) : eventRow(row),
      nearEnd: () => store.more(),
      label: "Events",
    });
    const filters = h("div", {class: "filters", role: "group", "aria-label": "Filters"});
    const pause = h("button", {type: "button", class: "quiet", onclick: togglePause});
    const held = h("button", {type: "button", class: "held", hidden: true, onclick: release});
    const all = makeSearchTools();
    const tools = h("div", {class: "tools"}, held, pause);
    const note = h("p", {class: "note", hidden: true});
    const foot = h("p", {class: "foot muted", role: "status"});
    container.append(h("h1", {class: "visually-hidden"}, "What came in"), h("div", {class: "bar"}, filters, tools),
      all.element, note, rowHead("Came in"), list.element, foot);

    function togglePause() {
      store.setPaused(!store.paused || store.byScroll);
    }

    function release() {
      scrollTo(0, 0);
      store.setPaused(false);
    }

    // Rows that come in above would move what somebody reads further down: they are held as by a pause.
    function onScroll() {
      scrolled = scrollY;
      const away = scrollY > 200;
      if (away && !store.paused)
        store.setPaused(true, true);
      else if (!away && store.byScroll)
        store.setPaused(false);
    }

    changed = () => {
      list.set(store.rows);
      held.hidden = store.held === 0;
      show(held, `${countText(store.held)}${store.heldMore ? "+" : ""} new`);
      show(pause, store.paused && !store.byScroll ? "Go on" : "Pause");
      pause.setAttribute("aria-pressed", String(store.paused && !store.byScroll));
      searchBox.showError(store.error?.code === "invalid_search" ? store.error : null);
      const {index, events} = store.pages;
      const behind = index && !index.complete;
      note.hidden = !behind;
      if (behind)
        show(note,
          `The search index is not complete: ${
            plural(index.behind, "event")} to go. Older events may be missing here.`);
      show(foot, footText());
      all.draw(store.search, events.length > 0);
    };

    function use({query: {search = ""}}) {
      show(filters,
        FILTERS.map(
          ([label, text]) =>
            h("a", {href: href("/live", {}, {search: text}), class: "chip", "aria-current": search === text && "true"},
              label)));
      if (search !== store.search) {
        scrolled = 0;
        focused = null;
      }
      store.use(search);
      changed();
    }

    use({query});
    store.setShown(true);
    addEventListener("scroll", onScroll, {passive: true});
    const wanted = scrolled;
    const wantedRow = focused;
    if (wanted > 0 || wantedRow) {
      requestAnimationFrame(() => {
        scrollTo(0, wanted);
        onScroll();
        requestAnimationFrame(() => list.focus(wantedRow));
      });
    }
    const keys = [
      bind("j", "next row", () => list.move(1)),
      bind("k", "row before", () => list.move(-1)),
      bind("p", "pause, or go on", togglePause),
      onStatus(() => changed()),
    ];
    return {
      update(next) {
        scrolled = 0;
        scrollTo(0, 0);
        use(next);
        return true;
      },
      dispose() {
        focused = document.activeElement?.dataset?.id ?? null;
        store.setShown(false);
        searchBox.showError(null);
        removeEventListener("scroll", onScroll);
        for (const unbind of keys) unbind();
        list.dispose();
        changed = () => {};
      },
    };
  },
};

let changed = () => {};

function footText() {
  if (store.error)
    return store.error.code === "invalid_search" ?
      ["This search cannot be done. Why stands under the search box. ", h("a", {href: "#/live"}, "Show everything")] :
      h("span", {class: "problem"}, store.error.message + " ", retryButton());
  if (store.loading) return "Loading…";
  if (store.rows.length > 0) return store.pages.isDone ? "This is everything that is stored." : "";
  if (store.search) return ["Nothing that is stored meets this search. ", h("a", {href: "#/live"}, "Show everything")];
  return "Nothing has come in yet. As soon as a platform posts an event, it appears here.";
}

function retryButton() {
  return h("button", {
    type: "button",
    onclick: () => {
      store.error = null;
      store.more();
    }
  },
    "Try again");
}
