// A payload, a time and the sinks that it reaches as a case for `hookswitch test`.

import {readJson} from "./json_read.js";

/// {yaml, file}: `file` is {name, text} if the payload has to lie beside the case, because it is no JSON, or has what
/// YAML forbids (a key twice, half a character); else null. `at` is RFC 3339 or null, `sinks` names.
export function makeCase({name, source, body, at, sinks}) {
  const {root} = readJson(body);
  const isInline = root?.kind === "object" && fitsYaml(root);
  const file = isInline ? null : {name: `events/${fileName(name)}.txt`, text: body};
  const lines = [`- name: ${scalar(name)}`, `  source: ${scalar(source)}`];
  lines.push(isInline ? `  event: ${flow(root, "    ")}` : `  event: ${scalar(file.name)}`);
  if (at) lines.push(`  at: ${JSON.stringify(at)}`);
  lines.push(`  expect: [${sinks.map(scalar).join(", ")}]`);
  return {yaml: lines.join("\n") + "\n", file};
}

export function fileName(text) {
  return text.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "").slice(0, 60) || "event";
}

const HALF = /\p{Surrogate}/u;

function fitsYaml(node) {
  if (node.kind === "string") return !HALF.test(node.value);
  if (node.kind === "array") return node.items.every(fitsYaml);
  if (node.kind !== "object") return true;
  const keys = new Set(node.entries.map(({key}) => key));
  return keys.size === node.entries.length && node.entries.every(({key, value}) => !HALF.test(key) && fitsYaml(value));
}

// A value as YAML in braces, which is its JSON except that every line is indented.
function flow(node, indent) {
  const inner = indent + "  ";
  switch (node.kind) {
    case "object":
      if (node.entries.length === 0) return "{}";
      return `{\n${node.entries.map(({key, value}) => `${inner}${text(key)}: ${flow(value, inner)}`).join(",\n")}\n${
        indent}}`;
    case "array":
      if (node.items.length === 0) return "[]";
      return `[\n${node.items.map((item) => inner + flow(item, inner)).join(",\n")}\n${indent}]`;
    case "string": return text(node.value);
    // NaN and Infinity are read as null by the router too.
    case "number": return /\d/.test(node.text) ? node.text : "null";
    default: return node.text;
  }
}

// In double quotes, as JSON and YAML both read it.
function text(value) {
  return JSON.stringify(value).replace(
    /[\u007f-\u009f\u2028\u2029\ufeff]/g, (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));
}

const WORDS = /^(true|false|null|yes|no|on|off|y|n)$/i;

// Plain where that cannot be read as anything else.
function scalar(value) {
  return /^[A-Za-z][\w/.-]*( [\w/.-]+)*$/.test(value) && !WORDS.test(value) ? value : text(value);
}
