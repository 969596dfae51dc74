// What differs between two payloads, and between two texts.

const MOST_CELLS = 4e6;  // of the table that aligns two lists; larger ones are paired by place

/// The changes from JSON `a` to `b` (nodes of json_read.js), in b's order: {path, kind: "added"|"removed"|"changed", a,
/// b} with a and b as nodes or null. The order of an object's keys and how a number is written are no difference.
export function diffNodes(a, b) {
  const changes = [];
  walk("", a, b, changes);
  return changes;
}

function walk(path, a, b, out) {
  if (canonical(a) === canonical(b)) return;
  if (a.kind === "object" && b.kind === "object") return walkObjects(path, a, b, out);
  if (a.kind === "array" && b.kind === "array") return walkArrays(path, a, b, out);
  out.push({path, kind: "changed", a, b});
}

function walkObjects(path, a, b, out) {
  const before = entriesOf(a);
  const after = entriesOf(b);
  for (const [name, {place, value}] of after) {
    if (before.has(name))
      walk(join(path, place), before.get(name).value, value, out);
    else
      out.push({path: join(path, place), kind: "added", a: null, b: value});
  }
  for (const [name, {place, value}] of before) {
    if (!after.has(name)) out.push({path: join(path, place), kind: "removed", a: value, b: null});
  }
}

// A key that comes again is another entry, named by how often it came before.
function entriesOf(node) {
  const entries = new Map();
  const times = new Map();
  for (const {key, value} of node.entries) {
    const n = times.get(key) ?? 0;
    times.set(key, n + 1);
    entries.set(`${n} ${key}`, {place: key, value});
  }
  return entries;
}

/// "a.b", or a["b c"] for a key that is no plain word.
export function join(path, key) {
  if (/^[\w$@-]+$/.test(key)) return path ? `${path}.${key}` : key;
  return `${path}[${JSON.stringify(key)}]`;
}

function walkArrays(path, a, b, out) {
  for (const {from, gone, to, come} of gaps(a.items.map(canonical), b.items.map(canonical))) {
    const both = Math.min(gone, come);
    for (let i = 0; i < both; ++i) walk(`${path}[${to + i}]`, a.items[from + i], b.items[to + i], out);
    for (let i = both; i < gone; ++i)
      out.push({path: `${path}[${from + i}]`, kind: "removed", a: a.items[from + i], b: null});
    for (let i = both; i < come; ++i)
      out.push({path: `${path}[${to + i}]`, kind: "added", a: null, b: b.items[to + i]});
  }
}

const written = new WeakMap();

/// A text that is the same for equal JSON.
export function canonical(node) {
  if (written.has(node)) return written.get(node);
  const text = write(node);
  written.set(node, text);
  return text;
}

function write(node) {
  switch (node.kind) {
    case "object":
      return "{" +
        [...entriesOf(node)]
          .sort(([a], [b]) => a < b ? -1 : 1)
          .map(([name, {value}]) => JSON.stringify(name) + ":" + canonical(value))
          .join(",") +
        "}";
    case "array": return "[" + node.items.map(canonical).join(",") + "]";
    case "string": return JSON.stringify(node.value);
    case "number": return node.text.replace(/^(-?\d+\.\d*?)0+$/, "$1").replace(/\.$/, "");
    default: return node.text;
  }
}

/// The lines of both texts in one order: {kind: "same"|"added"|"removed", text}.
export function diffLines(a, b) {
  const before = a.split("\n");
  const after = b.split("\n");
  const lines = [];
  let at = 0;
  const same = (end) => {
    while (at < end) lines.push({kind: "same", text: after[at++]});
  };
  for (const {from, gone, to, come} of gaps(before, after)) {
    same(to);
    for (let i = 0; i < gone; ++i) lines.push({kind: "removed", text: before[from + i]});
    for (let i = 0; i < come; ++i) lines.push({kind: "added", text: after[at++]});
  }
  same(after.length);
  return lines;
}

// Where two lists differ, from a longest common subsequence: {from, gone} of a became {to, come} of b.
function gaps(a, b) {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) ++start;
  let endA = a.length;
  let endB = b.length;
  while (endA > start && endB > start && a[endA - 1] === b[endB - 1]) --endA, --endB;
  if (start === endA && start === endB) return [];
  const n = endA - start;
  const m = endB - start;
  if (n * m > MOST_CELLS) return [{from: start, gone: n, to: start, come: m}];
  const width = m + 1;
  const longest = new Uint32Array((n + 1) * width);
  for (let i = n - 1; i >= 0; --i) {
    for (let j = m - 1; j >= 0; --j) {
      longest[i * width + j] = a[start + i] === b[start + j] ?
        longest[(i + 1) * width + j + 1] + 1 :
        Math.max(longest[(i + 1) * width + j], longest[i * width + j + 1]);
    }
  }
  const found = [];
  let i = 0;
  let j = 0;
  while (i < n || j < m) {
    const from = start + i;
    const to = start + j;
    while ((i < n || j < m) && !(i < n && j < m && a[start + i] === b[start + j])) {
      if (j >= m || (i < n && longest[(i + 1) * width + j] >= longest[i * width + j + 1]))
        ++i;
      else
        ++j;
    }
    if (start + i > from || start + j > to) found.push({from, gone: start + i - from, to, come: start + j - to});
    while (i < n && j < m && a[start + i] === b[start + j]) ++i, ++j;
  }
  return found;
}
