// Small things that several views are made of.

import {h} from "./dom.js";
import {setQuery} from "./router.js";
import {may, status} from "./status.js";

/// A row of a <dl class="facts">.
export function fact(name, ...values) {
  return [h("dt", {}, name), h("dd", {}, values)];
}

/// A table whose rows are blocks on a narrow screen, where a cell with a data-label says what it is. A head that ends
/// in # is that of numbers.
export function makeTable(name, heads, rows) {
  const cell = (head) => h("th", {scope: "col", class: head.endsWith("#") && "number"}, head.replace("#", ""));
  return h("table", {class: `${name} stack`}, h("thead", {}, h("tr", {}, heads.map(cell))), rows);
}

/// A field whose text is the address's `q`.
export function filterField(q, label, placeholder) {
  const field = h("input", {
    type: "search",
    value: q,
    placeholder,
    "aria-label": label,
    oninput: () => setQuery({q: field.value || null}, {replace: true}),
  });
  return field;
}

/// Makes it say what the address says; the caret stays if it does already.
export function fillField(field, q) {
  if (field.value !== q) field.value = q;
}

/// Properties of a button that needs the right to change.
export function needsChange() {
  const isKnown = status() !== null;
  return {disabled: !may("change"), title: isKnown && !may("change") && "This token may only read."};
}

/// Properties of an element that scrolls by itself: the keyboard gets there, too.
export function scroller(label) {
  return {tabindex: "0", role: "group", "aria-label": label};
}
