// A request's body: as a tree where it is JSON or a form, else as text; where JSON is broken, the place is marked.

import {h} from "./dom.js";
import {readJson} from "./json_read.js";
import {drawTree, nodeText, visible} from "./json_tree.js";
import {diffLines, diffNodes} from "./diff.js";
import {scroller} from "./parts.js";
import {plural} from "./words.js";

/// {root, error} as readJson() says; a form becomes an object of texts.
export function readBody(raw, contentType = "") {
  if (/x-www-form-urlencoded/i.test(contentType) && !/^\s*[{[]/.test(raw)) {
    const entries = [...new URLSearchParams(raw)].map(
      ([key, value]) => ({key, from: 0, value: {kind: "string", value, from: 0, to: 0}}));
    return {root: {kind: "object", entries, from: 0, to: raw.length}, error: null};
  }
  return readJson(raw);
}

export function headerOf(headers, name) {
  return (headers ?? []).find((header) => header.name.toLowerCase() === name)?.value ?? "";
}

/// `as`: "tree" or "text". A body that is no JSON is drawn as text in either case.
export function drawBody(raw, {contentType = "", as = "tree", sorted = false} = {}) {
  const {root, error} = readBody(raw, contentType);
  if (root && as === "tree") return drawTree(root, {sorted});
  if (root || !looksLikeJson(raw, contentType)) return h("pre", {class: "raw", ...scroller("The body")}, visible(raw));
  return drawBroken(raw, error);
}

function looksLikeJson(raw, contentType) {
  return /json/i.test(contentType) || /^\s*[{["]/.test(raw);
}

function drawBroken(raw, {message, offset, line, column}) {
  const end = offset + ([...raw.slice(offset, offset + 2)][0]?.length ?? 0);
  return h("div", {}, h("p", {class: "problem"}, `Not JSON: line ${line}, column ${column}: ${message}.`),
    h("pre", {class: "raw", ...scroller("The body")}, visible(raw.slice(0, offset)),
      h("mark", {class: "error-place", title: message},
        offset >= raw.length ? "⏎ here it ends" : visible(raw.slice(offset, end))),
      visible(raw.slice(end))));
}

/// What differs between two bodies, as a table by path if both are JSON, else by lines.
export function drawDiff(a, b, {names, types = ["", ""]}) {
  const before = readBody(a, types[0]);
  const after = readBody(b, types[1]);
  if (!before.root || !after.root) return drawLines(a, b);
  const changes = diffNodes(before.root, after.root);
  if (changes.length === 0)
    return h("p", {},
      a === b ? "Both are the same, byte by byte." : "Both say the same; only blanks or the order of keys differ.");
  const kinds = {added: "added", removed: "gone", changed: "changed"};
  return h("div", {class: "wide", ...scroller("What differs")},
    h("p", {class: "muted"}, `${plural(changes.length, "difference")}.`),
    h("table", {class: "diff"},
      h("thead", {}, h("tr", {}, h("th", {}, "Path"), h("th", {}, ""), h("th", {}, names[0]), h("th", {}, names[1]))),
      h("tbody", {},
        changes.map(
          ({path, kind, a: was, b: is}) => h("tr", {}, h("th", {class: "mono"}, breakable(path || "(everything)")),
            h("td", {class: "muted"}, kinds[kind]), h("td", {class: `mono ${was ? "removed" : ""}`}, nodeText(was)),
            h("td", {class: `mono ${is ? "added" : ""}`}, nodeText(is)))))));
}

// A long path breaks where one of its names ends.
function breakable(path) {
  return path.split(/(?<=[.\]])/).flatMap((part) => [part, h("wbr")]);
}

const SAME_AROUND = 3;

export function drawLines(a, b) {
  const lines = diffLines(a, b);
  if (lines.every((line) => line.kind === "same")) return h("p", {}, "Both are the same.");
  const near = lines.map(() => false);
  lines.forEach((line, i) => {
    if (line.kind !== "same") near.fill(true, Math.max(0, i - SAME_AROUND), i + SAME_AROUND + 1);
  });
  const signs = {same: " ", added: "+", removed: "-"};
  return h("pre", {class: "raw lines", ...scroller("What differs")},
    lines.map((line, i) => near[i] ? h("div", {class: line.kind}, `${signs[line.kind]} ${visible(line.text)}`) :
                                     (near[i - 1] || i === 0) && h("div", {class: "muted"}, "…")));
}
