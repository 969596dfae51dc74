// A JSON reader that loses nothing: numbers keep their digits, objects the order of their keys and keys that come
// twice, every value its place in the text.

const MOST_NESTED = 500;

class Problem extends Error {
  constructor(message, offset) {
    super(message);
    this.offset = offset;
  }
}

/// {root, error}: one of them is null. A node is {kind, from, to} and, by its kind: "object" `entries` [{key, value,
/// from}], "array" `items`, "string" `value`, "number" `text` (NaN and Infinity too, which some senders write), "word"
/// `text` (true, false, null). `error` is {message, offset, line, column}, line and column from 1.
export function readJson(text) {
  const reader = new Reader(text);
  try {
    return {root: reader.document(), error: null};
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    return {root: null, error: {message: problem.message, offset: problem.offset, ...placeOf(text, problem.offset)}};
  }
}

/// Plain values, except that a number JavaScript cannot hold is {exact: "its digits"}. Throws if it is not JSON.
export function readValue(text) {
  const {root, error} = readJson(text);
  if (error) throw new SyntaxError(error.message);
  return plain(root);
}

export function plain(node) {
  switch (node.kind) {
    case "object": {
      const object = {};
      for (const {key, value} of node.entries) {
        Object.defineProperty(object, key, {value: plain(value), enumerable: true, writable: true, configurable: true});
      }
      return object;
    }
    case "array": return node.items.map(plain);
    case "string": return node.value;
    case "number": return isExact(node.text) ? Number(node.text) : {exact: node.text};
    default: return node.text === "null" ? null : node.text === "true";
  }
}

/// Whether a double writes the same digits again.
export function isExact(text) {
  return digitsOf(text) === digitsOf(String(Number(text)));
}

// A number's sign, digits without zeros at either end, and power of ten.
function digitsOf(text) {
  const parts = /^(-?)(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(text);
  if (!parts) return text;
  const fraction = parts[3] ?? "";
  const all = (parts[2] + fraction).replace(/^0+/, "");
  const short = all.replace(/0+$/, "");
  if (short === "") return "0";
  return `${parts[1]}${short}e${Number(parts[4] ?? 0) - fraction.length + all.length - short.length}`;
}

export function placeOf(text, offset) {
  const before = text.slice(0, offset);
  return {line: before.split("\n").length, column: [...before.slice(before.lastIndexOf("\n") + 1)].length + 1};
}

class Reader {
  constructor(text) {
    this.text = text;
    this.at = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  }

  document() {
    const root = this.value(0);
    this.blanks();
    if (this.at < this.text.length) this.fail("the JSON ends here, but more text follows");
    return root;
  }

  fail(message, offset = this.at) {
    throw new Problem(message, offset);
  }

  blanks() {
    while (" \t\r\n".includes(this.text[this.at] ?? "x")) ++this.at;
  }

  expect(what) {
    const code = this.text.codePointAt(this.at);
    if (code === undefined) this.fail(`${what} is expected, but the text ends`);
    const c = String.fromCodePoint(code);
    const name =
      /[\p{L}\p{N}\p{P}\p{S}]/u.test(c) ? c : `the character U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
    this.fail(`${what} is expected before ${name}`);
  }

  value(depth) {
    this.blanks();
    if (depth > MOST_NESTED) this.fail(`it is nested more than ${MOST_NESTED} deep`);
    const from = this.at;
    const node = this.body(depth);
    return {...node, from, to: this.at};
  }

  body(depth) {
    const c = this.text[this.at];
    if (c === "{") return this.object(depth);
    if (c === "[") return this.array(depth);
    if (c === '"') return {kind: "string", value: this.string()};
    const rest = this.text.slice(this.at, this.at + 400);
    const number = /^(-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?|NaN|-?Infinity)/.exec(rest);
    if (number) {
      if (number[0].length > 390) return this.longNumber();
      this.at += number[0].length;
      return {kind: "number", text: number[0]};
    }
    const word = /^(true|false|null)/.exec(rest);
    if (!word) this.expect("a value");
    this.at += word[0].length;
    return {kind: "word", text: word[0]};
  }

  longNumber() {
    const from = this.at;
    while (/[-+.\deE]/.test(this.text[this.at] ?? "")) ++this.at;
    return {kind: "number", text: this.text.slice(from, this.at)};
  }

  object(depth) {
    const entries = [];
    ++this.at;
    this.blanks();
    if (this.text[this.at] === "}") return ++this.at, {kind: "object", entries};
    for (;;) {
      this.blanks();
      if (this.text[this.at] !== '"') this.expect("a key in quotes");
      const from = this.at;
      const key = this.string();
      this.blanks();
      if (this.text[this.at] !== ":") this.expect("a colon");
      ++this.at;
      entries.push({key, from, value: this.value(depth + 1)});
      if (this.ends("}")) return {kind: "object", entries};
    }
  }

  array(depth) {
    const items = [];
    ++this.at;
    this.blanks();
    if (this.text[this.at] === "]") return ++this.at, {kind: "array", items};
    for (;;) {
      items.push(this.value(depth + 1));
      if (this.ends("]")) return {kind: "array", items};
    }
  }

  ends(close) {
    this.blanks();
    const c = this.text[this.at];
    if (c !== "," && c !== close) this.expect(`a comma or ${close}`);
    ++this.at;
    return c === close;
  }

  string() {
    const from = this.at;
    let value = "";
    let start = ++this.at;
    for (;;) {
      const c = this.text[this.at];
      if (c === undefined) this.fail("this text in quotes has no end", from);
      if (c === '"') break;
      if (c === "\\") {
        value += this.text.slice(start, this.at) + this.escape();
        start = this.at;
      } else {
        if (c < " ") this.fail("a control character in a text must be written as an escape");
        ++this.at;
      }
    }
    value += this.text.slice(start, this.at++);
    return value;
  }

  escape() {
    const c = this.text[this.at + 1];
    const simple = {'"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t"}[c];
    if (simple !== undefined) return this.at += 2, simple;
    const hex = this.text.slice(this.at + 2, this.at + 6);
    if (c !== "u" || !/^[\da-fA-F]{4}$/.test(hex)) this.fail("this is no escape that JSON knows");
    this.at += 6;
    return String.fromCharCode(parseInt(hex, 16));
  }
}
