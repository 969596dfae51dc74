// A request as a curl command that a shell runs unchanged.

// curl or the connection sets these.
const OWN = new Set([
  "host", "content-length", "connection", "transfer-encoding", "accept-encoding", "keep-alive", "te", "upgrade",
  "proxy-connection"
]);

/// `text` as one word of a shell. Control characters are written as escapes ($'…' of bash and zsh), so that pasting
/// it into a terminal does nothing but show it.
export function shellWord(text) {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text;
  if (!/[\0-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/.test(text)) return `'${text.replace(/'/g, `'\\''`)}'`;
  const bytes =
    (c) => [...new TextEncoder().encode(c)].map((byte) => "\\x" + byte.toString(16).padStart(2, "0")).join("");
  const escaped = text.replace(/[\\']/g, "\\$&")
                    .replace(/\n/g, "\\n")
                    .replace(/\t/g, "\\t")
                    .replace(/[\0-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/g, bytes);
  return `$'${escaped}'`;
}

/// `headers`: [{name, value}]. `body` is text; `base64` is used instead if it is no text.
export function curlOf({method = "POST", url, headers = [], body = null, base64 = null}) {
  const lines = [`curl -sS ${
    method === "POST" && (body !== null || base64 !== null) ? "" : `-X ${shellWord(method)} `}${shellWord(url)}`];
  for (const {name, value} of headers) {
    if (OWN.has(name.toLowerCase()) || name.startsWith(":")) continue;
    // With a colon and nothing behind it curl would remove the header.
    lines.push(`-H ${shellWord(value === "" ? `${name};` : `${name}: ${value}`)}`);
  }
  if (base64 !== null) {
    lines.push("--data-binary @-");
    return `printf %s ${shellWord(base64)} | base64 -d | ` + lines.join(" \\\n  ");
  }
  if (body !== null) lines.push(`--data-raw ${shellWord(body)}`);
  return lines.join(" \\\n  ");
}

/// A request as its source checks it, of what is kept of it: {url, headers}. `auth` is the source's (null: not known),
/// as GET /sources has it; *** stands for the secret, which the router tells nobody.
export function asSent({url, headers, body}, auth) {
  const has = (name) => headers.some((header) => header.name.toLowerCase() === name.toLowerCase());
  const more = [];
  if (body !== null && !has("content-type")) more.push({name: "Content-Type", value: contentTypeOf(body)});
  if (auth?.kind === "bearer" && !has("authorization")) more.push({name: "Authorization", value: "Bearer ***"});
  if (auth?.kind === "header" && !has(auth.name)) more.push({name: auth.name, value: "***"});
  return {
    url: auth?.kind === "query" ? `${url}${url.includes("?") ? "&" : "?"}${encodeURIComponent(auth.name)}=***` : url,
    headers: [...headers, ...more]
  };
}

function contentTypeOf(body) {
  if (/^\s*[{[]/.test(body)) return "application/json";
  return /^[^\s=&]+=/.test(body) ? "application/x-www-form-urlencoded" : "text/plain";
}

/// "A curl command", with what has to be done before it runs.
export function curlWords({url, headers}, what) {
  const isMasked = [url, ...headers.map(({value}) => value)].some((text) => text.includes("***"));
  return isMasked ? `${what} (put the secret in place of ***)` : what;
}

/// The parts of a request as an attempt keeps it: {method, url, headers, body, cut}; null if it is none.
export function parseRequest(text) {
  const cut = text.endsWith("... (cut)");
  const whole = cut ? text.slice(0, -"... (cut)".length) : text;
  const end = whole.indexOf("\n\n");
  const lines = (end < 0 ? whole : whole.slice(0, end)).split("\n");
  const first = /^([A-Z]+) (\S+)/.exec(lines[0]);
  if (!first) return null;
  const headers = lines.slice(1).map((line) => {
    const colon = line.indexOf(": ");
    return colon < 0 ? {name: line, value: ""} : {name: line.slice(0, colon), value: line.slice(colon + 2)};
  });
  return {method: first[1], url: first[2], headers, body: end < 0 ? "" : whole.slice(end + 2), cut};
}
