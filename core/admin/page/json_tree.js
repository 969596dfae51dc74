// JSON as a tree that opens and closes: keys in their order (or sorted), numbers with all their digits, the path of a
// value on hover.

import {h, show} from "./dom.js";
import {join} from "./diff.js";
import {plural} from "./words.js";

const OPEN_DEPTH = 3;    // levels that are open at first
const OPEN_LINES = 400;  // of them, until this many lines are drawn
const AT_ONCE = 100;     // entries of a list before "more"
const LONG_TEXT = 2000;

/// `node` is a node of json_read.js.
export function drawTree(node, {sorted = false} = {}) {
  const state = {sorted, lines: 0};
  return h("div", {class: "tree"}, isContainer(node) ? drawContainer(node, "", null, 0, state) : drawValue(node));
}

function isContainer(node) {
  return node.kind === "object" || node.kind === "array";
}

function childrenOf(node, path, sorted) {
  if (node.kind === "array")
    return node.items.map((value, i) => ({label: String(i), value, path: `${path}[${i}]`, isKey: false}));
  const list =
    node.entries.map(({key, value}) => ({label: JSON.stringify(key), value, path: join(path, key), isKey: true}));
  return sorted ? list.sort((a, b) => a.label < b.label ? -1 : a.label > b.label ? 1 : 0) : list;
}

function drawContainer(node, path, label, depth, state) {
  const children = childrenOf(node, path, state.sorted);
  const [open, close] = node.kind === "object" ? ["{", "}"] : ["[", "]"];
  if (children.length === 0) return h("div", {class: "leaf"}, label, `${open}${close}`);
  const inside = h("div", {class: "inside"});
  const size = plural(children.length, node.kind === "object" ? "key" : "item");
  const details = h("details", {}, h("summary", {}, label, open, h("span", {class: "size"}, ` ${size} `)), inside,
    h("div", {class: "close"}, close));
  let drawn = 0;
  function more() {
    inside.querySelector(":scope > .more")?.remove();
    const part = children.slice(drawn, drawn + AT_ONCE);
    drawn += part.length;
    state.lines += part.length;
    inside.append(...part.map((child) => drawChild(child, depth + 1, state)));
    const left = children.length - drawn;
    if (left > 0)
      inside.append(h(
        "button", {type: "button", class: "more quiet", onclick: more}, `${Math.min(left, AT_ONCE)} more of ${left}`));
  }
  if (depth < OPEN_DEPTH && state.lines < OPEN_LINES) {
    details.open = true;
    more();
  }
  details.addEventListener("toggle", () => {
    if (details.open && drawn === 0) more();
  });
  return details;
}

function drawChild({label, value, path, isKey}, depth, state) {
  const name = h("span", {class: isKey ? "key" : "index", title: path}, label, ": ");
  if (isContainer(value)) return drawContainer(value, path, name, depth, state);
  return h("div", {class: "leaf"}, name, drawValue(value));
}

/// One value that has no others in it.
export function drawValue(node) {
  if (node.kind === "number") return h("span", {class: "number"}, node.text);
  if (node.kind !== "string") return h("span", {class: "word"}, node.text);
  const text = visible(JSON.stringify(node.value));
  if (text.length <= LONG_TEXT) return h("span", {class: "string"}, text);
  const shown = h("span", {class: "string"}, text.slice(0, LONG_TEXT));
  const button = h("button", {
    type: "button",
    class: "quiet",
    onclick: () => {
      show(shown, text);
      button.remove();
    }
  },
    `… ${plural(text.length - LONG_TEXT, "more character")}`);
  return h("span", {}, shown, button);
}

/// Characters without a width as escapes (h() does so for those that turn the direction). Joiners stay: scripts and
/// emoji need them.
export function visible(text) {
  return text.replace(/[\u200b\u2060\ufeff]/g, (c) => "\\u" + c.charCodeAt(0).toString(16));
}

/// A short text of any node, for a table.
export function nodeText(node) {
  if (node === null) return "";
  if (node.kind === "object")
    return "{" + node.entries.map(({key, value}) => `${JSON.stringify(key)}: ${nodeText(value)}`).join(", ") + "}";
  if (node.kind === "array") return "[" + node.items.map(nodeText).join(", ") + "]";
  return node.kind === "string" ? visible(JSON.stringify(node.value)) : node.text;
}
