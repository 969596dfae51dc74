// Two events side by side: what differs in their payloads, and in what they were read as.

import {at, get} from "../api.js";
import {drawDiff, headerOf} from "../body.js";
import {h, show} from "../dom.js";
import {isHiddenField} from "../event_read.js";
import {bodiesMode, hidesBody, maskParams, setShown, UNMASK_NOTE, unmaskEvent} from "../mask.js";
import {needsChange} from "../parts.js";
import {href} from "../router.js";
import {onStatus, status} from "../status.js";
import {timeOf} from "../time.js";
import {statusOf} from "../words.js";

export default {
  name: "Compare",
  path: "/compare",
  under: "live",
  title: () => "Compare two events",
  render(container, {query: {a, b}}) {
    const place = h("div", {}, h("p", {class: "muted"}, "Loading…"));
    const problem = h("p", {class: "problem", role: "alert"});
    container.append(h("h1", {}, "Two events compared"), problem, place);
    let events = null;
    let ended = false;

    async function load(read) {
      try {
        const found = await Promise.all([a, b].map((id) => read(id ?? "")));
        if (ended) return;
        events = found;
        show(problem);
        redraw();
      } catch (error) {
        if (ended) return;
        show(problem, error.message);
        if (events === null) show(place);
      }
    }

    function redraw() {
      if (events !== null) draw(place, events, () => load(unmaskEvent));
    }

    load((id) => get(at("events", id), maskParams(), {exact: true}));
    // Only with the first status it is known who may have it shown.
    const end = status() === null ? onStatus(() => {
      end();
      redraw();
    }) :
                                    () => {};
    return {
      dispose() {
        ended = true;
        end();
      },
    };
  },
};

function draw(place, [a, b], unmask) {
  const head = (event) => h("td", {},
    h("a", {href: href("/event/:id", {id: event.id})}, statusOf(event.status), ` ${event.agent ?? ""}`), h("br"),
    timeOf(event.received_at), ` ${event.source}`, h("br"), h("span", {class: "muted"}, event.call_id ?? ""));
  const isHidden = hidesBody(a) || hidesBody(b);
  show(place,
    h("table", {class: "plain"},
      h("tbody", {}, h("tr", {}, h("th", {}, "before"), head(a)), h("tr", {}, h("th", {}, "after"), head(b)))),
    h("p", {}, h("a", {href: href("/compare", {}, {a: b.id, b: a.id})}, "The other way round")),
    h("section", {class: "card"}, h("h2", {}, "What came"),
      isHidden ? drawHidden(unmask) :
        typeof a.raw !== "string" || typeof b.raw !== "string" ?
                 h("p", {}, "One of the bodies is no text, or is no longer stored.") :
                 drawDiff(a.raw, b.raw, {
                   names: ["before", "after"],
                   types: [headerOf(a.headers, "content-type"), headerOf(b.headers, "content-type")]
                 })),
    h("section", {class: "card"}, h("h2", {}, "What they were read as"), drawFields(a, b)));
}

function drawHidden(unmask) {
  const mode = bodiesMode();
  if (mode === "off") return h("p", {}, "The bodies are hidden by the config (inspector.bodies: off).");
  if (mode === "full")
    return h("p", {}, "The bodies are hidden. ", h("button", {type: "button", onclick: () => setShown(true)}, "Show"));
  return h("p", {}, "The bodies are hidden. ",
    h("button", {type: "button", ...needsChange(), onclick: unmask}, "Show for these two events"), UNMASK_NOTE);
}

function drawFields(a, b) {
  const fieldsOf = (event) => new Map((event.fields ?? []).map(({field, value}) => [field, value]));
  const [before, after] = [fieldsOf(a), fieldsOf(b)];
  const names = [...new Set([...after.keys(), ...before.keys()])];
  const textOf = (event, value, name) => {
    if (value === null || value === undefined) return isHiddenField(name, event.masked ?? []) ? "hidden" : "absent";
    return typeof value === "object" ? value.exact ?? JSON.stringify(value) : String(value);
  };
  // What is hidden in both may differ.
  const rows = names.map((name) => [name, textOf(a, before.get(name), name), textOf(b, after.get(name), name)])
                 .filter(([, was, is]) => was !== is || was === "hidden");
  if (rows.length === 0) return h("p", {}, "The same.");
  return h("table", {class: "diff"},
    h("thead", {}, h("tr", {}, h("th", {}, "Field"), h("th", {}, "before"), h("th", {}, "after"))),
    h("tbody", {},
      rows.map(([name, was, is]) => h("tr", {}, h("th", {class: "mono"}, name), h("td", {class: "removed"}, was),
                 h("td", {class: "added"}, is)))));
}
