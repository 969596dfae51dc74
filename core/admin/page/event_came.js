// "What came": the request's body and headers, its earlier versions, and what differs between them.

import {asSent, curlOf, curlWords} from "./curl.js";
import {copy, download} from "./dialog.js";
import {h} from "./dom.js";
import {drawBody, drawDiff, headerOf} from "./body.js";
import {get} from "./api.js";
import {hidesBody} from "./mask.js";
import {scroller} from "./parts.js";
import {here, href, setQuery} from "./router.js";
import {status} from "./status.js";
import {timeOf} from "./time.js";

/// The section's element. `query`: raw=text, sort=1, rev=N (a version before), diff=1 (to the version after it).
export function drawCame(event, query) {
  const number = Number(query.rev ?? 0);
  const revisions = event.revisions ?? [];
  const revision = revisions.find((one) => one.number === number) ?? null;
  const version = revision ?? event;
  const contentType = headerOf(version.headers, "content-type");
  const as = query.raw === "text" ? "text" : "tree";
  const sorted = query.sort === "1";
  const isText = typeof version.raw === "string";
  return h("section", {class: "card", "aria-labelledby": "came"},
    h("div", {class: "bar"}, h("h2", {id: "came"}, "What came"),
      (isText || version.raw_base64) &&
        h("div", {class: "tools"},
          isText &&
            [
              toggle("Tree", as === "tree", {raw: null}), toggle("Text", as === "text", {raw: "text"}),
              h("label", {class: "check"}, h("input", {
                type: "checkbox",
                checked: sorted,
                disabled: as === "text",
                onchange: (e) => setQuery({sort: e.target.checked ? "1" : null}, {replace: true})
              }),
                "sort keys"),
              h("button", {type: "button", onclick: () => copy(version.raw, "The body")}, "Copy")
            ],
          h("button", {type: "button", onclick: () => copyCurl(event, version)}, "Copy as curl"),
          h("button", {type: "button", onclick: () => saveBody(event, version)}, "Download"))),
    drawVersions(event, revisions, number, query),
    drawVersion(event, revisions, revision, version, query, {contentType, as, sorted}), drawHeaders(version.headers));
}

function toggle(label, pressed, changes) {
  return h("button",
    {type: "button", class: "chip", "aria-pressed": String(pressed), onclick: () => setQuery(changes, {replace: true})},
    label);
}

function drawVersions(event, revisions, number, query) {
  if (revisions.length === 0) return null;
  const address = (rev, diff) => href(here().path, {}, {...here().query, rev, diff});
  return h("div", {class: "versions"},
    h("span", {class: "muted"},
      `The platform sent this event ${revisions.length + 1} times, with other content each time: `),
    revisions.map(
      (one) => h("a", {class: "chip", href: address(one.number, null), "aria-current": one.number === number && "true"},
        "until ", timeOf(one.until))),
    h("a", {class: "chip", href: address(null, null), "aria-current": number === 0 && "true"}, "now"),
    number > 0 &&
      h("a", {class: "chip", href: address(number, query.diff ? null : "1"), "aria-current": query.diff && "true"},
        "what changed after it"));
}

function drawVersion(event, revisions, revision, version, query, {contentType, as, sorted}) {
  if (version.raw_base64) {
    return h("p", {}, "These bytes are no text. In base64: ", h("code", {class: "wrap"}, version.raw_base64));
  }
  if (version.raw === null || version.raw === undefined) {
    return h("p", {class: "muted"}, hidesBody(event) ? "The body is hidden." : "The body is no longer stored.");
  }
  if (revision && query.diff) {
    const after = revisions.find((one) => one.number === revision.number + 1) ?? event;
    return drawDiff(revision.raw, after.raw ?? "",
      {names: ["before", "after"], types: [contentType, headerOf(after.headers, "content-type")]});
  }
  return h("div", {class: "scroll", ...scroller("What came")}, drawBody(version.raw, {contentType, as, sorted}));
}

function drawHeaders(headers) {
  if (!headers || headers.length === 0) return null;
  return h("details", {}, h("summary", {}, `${headers.length} headers`),
    h("table", {class: "plain headers"},
      h("tbody", {}, headers.map(({name, value}) => h("tr", {}, h("th", {}, name), h("td", {class: "mono"}, value))))));
}

// The command that posts the event to this router once more.
async function copyCurl(event, version) {
  let source = null;
  try {
    source = (await get("sources")).sources.find((one) => one.name === event.source) ?? null;
  } catch {
    // Without the source its path and its secret have to be completed by hand.
  }
  const address = (status()?.ingress ?? "127.0.0.1:8000").replace(/^(0\.0\.0\.0|\[::\]|\*)/, "127.0.0.1");
  const body = version.raw ?? null;
  const url = `http://${address}${source?.path ?? `/${event.source}`}`;
  const request = asSent({url, headers: version.headers ?? [], body}, source?.auth);
  copy(curlOf({...request, body, base64: version.raw_base64 ?? null}),
    source ? curlWords(request, "A curl command that posts this again") :
             "A curl command, which lacks the path and the secret of its source,");
}

function saveBody(event, version) {
  const type = headerOf(version.headers, "content-type");
  const bytes = version.raw ?? Uint8Array.from(atob(version.raw_base64), (c) => c.charCodeAt(0));
  download(`${event.id}.${version.raw_base64 ? "bin" : /json/.test(type) ? "json" : "txt"}`, bytes);
}
