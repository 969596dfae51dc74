// Slack's mrkdwn as nodes (docs.slack.dev/messaging/formatting-message-text). Links, mentions and emoji stay text.

/// Nodes: {kind: "text"|"code"|"block"|"emoji"|"mention"|"date", text}, {kind: "link", text, url}, {kind:
/// "bold"|"italic"|"strike"|"quote", nodes}, {kind: "break"}.
export function parseMrkdwn(text) {
  const nodes = [];
  let rest = text;
  for (;;) {
    const open = rest.indexOf("```");
    const close = open < 0 ? -1 : rest.indexOf("```", open + 3);
    if (close < 0 || close === open + 3) break;
    nodes.push(...lines(rest.slice(0, open).replace(/\n$/, "")));
    nodes.push({kind: "block", text: decode(rest.slice(open + 3, close).replace(/^\n/, "").replace(/\n$/, ""))});
    rest = rest.slice(close + 3).replace(/^\n/, "");
  }
  nodes.push(...lines(rest));
  return nodes;
}

/// The entities that Slack knows; `&nbsp;` and the like stay as they are.
export function decode(text) {
  return text.replace(/&(amp|lt|gt);/g, (_, name) => ({amp: "&", lt: "<", gt: ">"})[name]);
}

function lines(text) {
  if (text === "") return [];
  const nodes = [];
  let quote = null;
  text.split("\n").forEach((line, i) => {
    const quoted = /^(?:>|&gt;) ?/.exec(line);
    if (quoted) {
      const inner = inline(line.slice(quoted[0].length));
      if (quote)
        quote.nodes.push({kind: "break"}, ...inner);
      else
        nodes.push(quote = {kind: "quote", nodes: inner});
      return;
    }
    if (i > 0 && !quote) nodes.push({kind: "break"});
    quote = null;
    nodes.push(...inline(line));
  });
  return nodes;
}

const MARKS = {
  "*": "bold",
  _: "italic",
  "~": "strike"
};
const WORD = /[\p{L}\p{N}]/u;

function inline(text) {
  const nodes = [];
  let plain = "";
  const flush = () => {
    if (plain) nodes.push({kind: "text", text: decode(plain)});
    plain = "";
  };
  for (let at = 0; at < text.length;) {
    const found = special(text, at);
    if (found) {
      flush();
      nodes.push(found.node);
      at = found.end;
    } else {
      plain += text[at++];
    }
  }
  flush();
  return nodes;
}

function special(text, at) {
  const c = text[at];
  if (c === "<") {
    const close = text.indexOf(">", at);
    if (close > at + 1) return {node: angle(text.slice(at + 1, close)), end: close + 1};
  } else if (c === "`") {
    const close = text.indexOf("`", at + 1);
    if (close > at + 1) return {node: {kind: "code", text: decode(text.slice(at + 1, close))}, end: close + 1};
  } else if (c === ":") {
    const emoji = /^:[a-z0-9_+'-]+(?:::skin-tone-\d)?:/.exec(text.slice(at, at + 80));
    if (emoji) return {node: {kind: "emoji", text: emoji[0]}, end: at + emoji[0].length};
  } else if (MARKS[c] && !WORD.test(text[at - 1] ?? " ") && text[at - 1] !== c) {
    const close = closing(text, at, c);
    if (close > 0) return {node: {kind: MARKS[c], nodes: inline(text.slice(at + 1, close))}, end: close + 1};
  }
  return null;
}

// A mark opens before a character that is no blank, and closes behind one, where a word ends.
function closing(text, at, mark) {
  if (/^(\s|$)/.test(text.slice(at + 1, at + 2)) || text[at + 1] === mark) return -1;
  for (let close = at + 2; close < text.length; ++close) {
    if (text[close] === "`") {
      const end = text.indexOf("`", close + 1);
      if (end > 0) close = end;
    } else if (text[close] === mark && !/\s/.test(text[close - 1]) && !WORD.test(text[close + 1] ?? " ")) {
      return close;
    }
  }
  return -1;
}

function angle(inside) {
  const bar = inside.indexOf("|");
  const target = bar < 0 ? inside : inside.slice(0, bar);
  const label = bar < 0 ? null : decode(inside.slice(bar + 1));
  if (target.startsWith("!date^")) return {kind: "date", text: dateText(target.slice(1).split("^"), label), url: null};
  if (target.startsWith("!")) return {kind: "mention", text: label ?? "@" + target.slice(1).split("^")[0]};
  if (target.startsWith("@")) return {kind: "mention", text: label ? "@" + label.replace(/^@/, "") : target};
  if (target.startsWith("#")) return {kind: "mention", text: "#" + (label ?? target.slice(1))};
  const url = decode(target);
  return {kind: "link", text: label ?? url, url};
}

const DAY = {
  month: "short",
  day: "numeric",
  year: "numeric"
};
const FORMATS = {
  date: {...DAY, month: "long"},
  date_short: DAY,
  date_long: {...DAY, month: "long", weekday: "long"},
  date_num: {year: "numeric", month: "2-digit", day: "2-digit"},
  date_pretty: {...DAY, month: "long"},
  date_short_pretty: DAY,
  date_long_pretty: {...DAY, month: "long", weekday: "long"},
  time: {hour: "numeric", minute: "2-digit"},
  time_secs: {hour: "numeric", minute: "2-digit", second: "2-digit"},
};

// <!date^1392734382^{date} at {time}|fallback>: in the reader's zone; the fallback for a form that is not known.
function dateText([, seconds, form = ""], fallback) {
  const date = new Date(Number(seconds) * 1000);
  let known = form !== "" && !Number.isNaN(date.getTime());
  const text = decode(form).replace(/\{(\w+)\}/g, (_, name) => {
    if (!FORMATS[name] || !known) return known = false, "";
    return date.toLocaleString("en-US", FORMATS[name]);
  });
  return known ? text : fallback ?? text;
}
