// The text of the search box: terms joined by blanks, `key:value`, `-key:value`, "quoted words". What a term means is
// the router's business; here is only what the page needs to show, link and complete one.

/// The terms of `text`: {from, to, negated, key, value} with offsets in UTF-16 units; key is null for bare words.
export function terms(text) {
  const found = [];
  const term = /(-?)(?:([A-Za-z_][\w.-]*):)?("(?:[^"\\]|\\.)*"?|[^\s"]*(?:"(?:[^"\\]|\\.)*"?[^\s"]*)*)/gy;
  let at = 0;
  while (at < text.length) {
    if (/\s/.test(text[at])) {
      ++at;
      continue;
    }
    term.lastIndex = at;
    const match = term.exec(text);
    const to = Math.max(term.lastIndex, at + 1);
    found.push({
      from: at,
      to,
      negated: match[1] === "-",
      key: match[2]?.replace(/^[^.]*/, (name) => name.toLowerCase()) ?? null,
      value: unquoted(match[3])
    });
    at = to;
  }
  return found;
}

function unquoted(value) {
  return value.startsWith('"') ? value.slice(1).replace(/"$/, "").replace(/\\(.)/g, "$1") : value;
}

/// `value` as it stands behind a key.
export function quoted(value) {
  return /^[^\s",\\]+$/.test(value) ? value : `"${value.replace(/([\\"])/g, "\\$1")}"`;
}

/// `text` with the term key:value, in place of other terms of that key.
export function withTerm(text, key, value) {
  const rest = withoutKey(text, key);
  return (rest ? rest + " " : "") + `${key}:${quoted(value)}`;
}

export function withoutKey(text, key) {
  return terms(text).filter((term) => term.key !== key).map((term) => text.slice(term.from, term.to)).join(" ");
}

/// The router counts in characters (code points), JavaScript in UTF-16 units.
export function toCodePoints(text, offset) {
  return [...text.slice(0, offset)].length;
}

export function fromCodePoints(text, count) {
  return [...text].slice(0, count).join("").length;
}

const REFUSED_KEYS = new Set(["is", "source", "after", "since", "before", "until"]);

/// How refused requests, which have no call, fit the search: {show, only, fits(refused)}. `only`: nothing else is asked
/// for (is:refused). A search with a term that a refused request cannot meet shows none.
export function refusedFilter(text, now = Date.now()) {
  const list = terms(text);
  const only = list.some((term) => term.key === "is" && !term.negated && term.value === "refused");
  const tests = [];
  for (const term of list) {
    if (!REFUSED_KEYS.has(term.key)) return {show: false, only, fits: () => false};
    if (term.key === "is") {
      const wantsRefused = (term.value === "refused") !== term.negated;
      if (!wantsRefused) return {show: false, only, fits: () => false};
    } else if (term.key === "source") {
      const names = term.value.split(",").map(globOf);
      tests.push((refused) => names.some((name) => name.test(refused.source ?? "")) !== term.negated);
    } else {
      const bound = timeOfTerm(term.value, now);
      if (bound === null || term.negated) return {show: false, only, fits: () => false};
      const isLower = term.key === "after" || term.key === "since";
      tests.push((refused) => isLower ? Date.parse(refused.at) >= bound : Date.parse(refused.at) < bound);
    }
  }
  return {show: true, only, fits: (refused) => tests.every((test) => test(refused))};
}

// As the router's globs: * is anything, ? one character.
function globOf(text) {
  const parts = text.replace(/[.+^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*").replaceAll("?", ".");
  return new RegExp(`^${parts}$`, "su");
}

const UNIT_MS = {
  ms: 1,
  s: 1000,
  m: 60000,
  h: 3600000,
  d: 86400000,
  w: 604800000
};

// Milliseconds of "2h", "1h30m", "2026-03-04", "2026-03-04T10:00:00Z", all in UTC; null if it is none of them.
function timeOfTerm(value, now) {
  if (/^(\d+(\.\d+)?(ms|s|m|h|d|w))+$/.test(value)) {
    let back = 0;
    for (const [, n, , unit] of value.matchAll(/(\d+(\.\d+)?)(ms|s|m|h|d|w)/g)) back += Number(n) * UNIT_MS[unit];
    return now - back;
  }
  if (!/^\d{4}-/.test(value)) return null;
  const hasZone = /(Z|[+-]\d\d:?\d\d)$/i.test(value.slice("2026-03-04".length));
  const at = Date.parse(value.length === "2026-03-04".length ? value + "T00:00:00Z" : hasZone ? value : value + "Z");
  return Number.isNaN(at) ? null : at;
}
