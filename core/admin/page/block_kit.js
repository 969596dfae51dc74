// How much of Slack's limits a message uses (docs.slack.dev/reference/block-kit). Lengths are in characters (code
// points) as they are sent, entities included.

const HEADER = 150;
const TEXT = 3000;
const FIELD = 2000;
const FIELDS = 10;
const BLOCKS = 50;
const CONTEXT = 10;
const BUTTONS = 25;
const BUTTON = 75;
const FALLBACK = 40000;
const ATTACHMENTS = 100;

/// A sink may send what is no message of Slack: what is not of its kind is an empty list, or "". A number is its
/// digits.
export function listOf(value) {
  return Array.isArray(value) ? value : [];
}

export function textOf(value) {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

export function codePoints(text) {
  let count = 0;
  for (const c of text) count += c !== "";
  return count;
}

/// Whether a body is a Slack message: an object with blocks, attachments, or a text for Slack's addresses.
export function isSlackMessage(body, url = "") {
  if (body === null || typeof body !== "object" || Array.isArray(body)) return false;
  return Array.isArray(body.blocks) || Array.isArray(body.attachments) ||
    (typeof body.text === "string" && /^https:\/\/([\w-]+\.)?slack(-gov)?\.com\//.test(url));
}

/// {what, used, most}: the limits that apply to this message, the fullest first. Of several texts of a kind the
/// longest.
export function limitsOf(message) {
  const found = new Map();
  const note = (what, used, most) => {
    if (!found.has(what) || found.get(what).used < used) found.set(what, {what, used, most});
  };
  const length = (text) => codePoints(textOf(typeof text === "string" ? text : text?.text));
  const blocks = (list) => {
    note("blocks", list.length, BLOCKS);
    for (const block of list) {
      if (block?.type === "header") note("header", length(block.text), HEADER);
      if (block?.type === "section") {
        if (block.text) note("section text", length(block.text), TEXT);
        if (Array.isArray(block.fields)) note("fields", block.fields.length, FIELDS);
        for (const field of listOf(block.fields)) note("field", length(field), FIELD);
      }
      if (block?.type === "context") note("context elements", listOf(block.elements).length, CONTEXT);
      if (block?.type === "actions") {
        note("buttons", listOf(block.elements).length, BUTTONS);
        for (const element of listOf(block.elements)) note("button", length(element?.text), BUTTON);
      }
    }
  };
  if (Array.isArray(message.blocks)) blocks(message.blocks);
  if (typeof message.text === "string") note("text", length(message.text), FALLBACK);
  if (Array.isArray(message.attachments)) {
    note("attachments", message.attachments.length, ATTACHMENTS);
    for (const attachment of message.attachments) {
      if (Array.isArray(attachment?.blocks)) blocks(attachment.blocks);
    }
  }
  return [...found.values()].sort((a, b) => b.used / b.most - a.used / a.most);
}
