// A list of any length: only the rows near what is seen are in the page. All rows have one height, which the
// stylesheet sets as --row of the list (it differs on a narrow screen).

import {h, keyed} from "./dom.js";

const AROUND = 60;  // rows above and below what is seen
const NEAR_END = 40;

/// {element, set(items), move(step), focus(id), dispose()}. `make(item)` gives what has the focus of a row, a link as a
/// rule; `keyOf(item)` its key; a row is made again when its item is another object. `nearEnd()` is called when the
/// last rows come near.
export function makeList({keyOf, make, nearEnd = () => {}, label}) {
  const above = h("div", {class: "spacer"});
  const below = h("div", {class: "spacer"});
  const rows = h("div", {class: "rows", role: "list", "aria-label": label});
  const element = h("div", {class: "list"}, above, rows, below);
  const keys = new WeakMap();  // row -> the key of its item
  let items = [];
  let frame = 0;

  function makeRow(item) {
    const row = h("div", {role: "listitem"}, make(item));
    keys.set(row, keyOf(item));
    return row;
  }

  function rowOfFocus() {
    return [...rows.children].find((row) => row.contains(document.activeElement));
  }

  function rowHeight() {
    return parseFloat(getComputedStyle(element).getPropertyValue("--row")) || 34;
  }

  function draw() {
    frame = 0;
    if (!element.isConnected) return;
    const height = rowHeight();
    const top = element.getBoundingClientRect().top;
    const first = Math.max(0, Math.floor(-top / height) - AROUND);
    const last = Math.min(items.length, Math.ceil((innerHeight - top) / height) + AROUND);
    const from = Math.min(first, Math.max(0, last));
    above.style.height = `${from * height}px`;
    below.style.height = `${Math.max(0, items.length - last) * height}px`;
    const focused = rowOfFocus();
    keyed(rows, items.slice(from, Math.max(from, last)), keyOf, makeRow);
    // Its item was another object.
    if (focused && !focused.isConnected) focus([...rows.children].find((row) => keys.get(row) === keys.get(focused)));
    if (last >= items.length - NEAR_END) nearEnd();
  }

  function soon() {
    if (frame === 0) frame = requestAnimationFrame(draw);
  }
  addEventListener("scroll", soon, {passive: true});
  addEventListener("resize", soon);

  function focus(row) {
    row?.firstElementChild.focus({preventScroll: true});
  }

  function indexOfFocus() {
    const at = [...rows.children].indexOf(rowOfFocus());
    if (at < 0) return -1;
    return Math.round(parseFloat(above.style.height || "0") / rowHeight()) + at;
  }

  return {
    element,
    set(next) {
      items = next;
      draw();
    },
    /// Moves the focus by `step` rows; without a focus, to the first row that is seen.
    move(step) {
      if (items.length === 0) return false;
      const height = rowHeight();
      const top = element.getBoundingClientRect().top;
      const cover = document.querySelector("header")?.getBoundingClientRect().bottom ?? 0;
      const current = indexOfFocus();
      const next = current < 0 ? Math.max(0, Math.ceil((cover - top) / height)) : current + step;
      const at = Math.min(items.length - 1, Math.max(0, next));
      const y = top + at * height;
      if (y < cover + height)
        scrollBy(0, y - cover - height);
      else if (y + height > innerHeight)
        scrollBy(0, y + 2 * height - innerHeight);
      draw();
      const first = Math.round(parseFloat(above.style.height || "0") / height);
      focus(rows.children[at - first]);
    },
    /// Gives the focus to a row that is near what is seen, by the data-id of its element.
    focus(id) {
      focus([...rows.children].find((row) => row.firstElementChild.dataset.id === id));
    },
    dispose() {
      removeEventListener("scroll", soon);
      removeEventListener("resize", soon);
      cancelAnimationFrame(frame);
    },
  };
}
