// "What it was read as" and "Which rules": fields with the paths they came from; each rule with what kept the event
// out.

import {h} from "./dom.js";
import {visible} from "./json_tree.js";
import {scroller} from "./parts.js";
import {href} from "./router.js";
import {timeOf} from "./time.js";
import {plural, stateWord} from "./words.js";

export function drawRead(event) {
  const fields = event.fields ?? [];
  return h("section", {class: "card", "aria-labelledby": "read"}, h("h2", {id: "read"}, "What it was read as"),
    event.normalized_because &&
      h("p", {}, "It is not a call that rules can judge: ", h("b", {}, event.normalized_because), "."),
    fields.length > 0 &&
      h("div", {class: "wide", ...scroller("Fields")},
        h("table", {class: "fields"},
          h("thead", {}, h("tr", {}, h("th", {}, "Field"), h("th", {}, "Value"), h("th", {}, "From"))),
          h("tbody", {},
            fields.map(({field, value, path}) => h("tr", {}, h("th", {class: "mono"}, field),
                         h("td", {}, drawFieldValue(field, value, event.masked ?? [])),
                         h("td", {class: "mono muted"}, path ?? "worked out")))))),
    event.stage === "ended" && h("p", {class: "muted"}, "The call is over, but its platform may say more about it."));
}

/// Whether `masked` of an event names the field, or what holds it.
export function isHiddenField(field, masked) {
  return masked.some((name) => name === field || name === `normalized.${field}` || field.startsWith(name + ".") ||
      `normalized.${field}`.startsWith(name + "."));
}

function drawFieldValue(field, value, masked) {
  if (value === null || value === undefined)
    return h("span", {class: "muted"}, isHiddenField(field, masked) ? "hidden" : "absent");
  if (field === "transcript" && Array.isArray(value)) {
    return h("div", {class: "scroll transcript", ...scroller("Transcript")},
      value.map((turn) => h("p", {}, h("b", {}, `${turn.role}: `), visible(String(turn.text ?? "")))));
  }
  if (typeof value === "object" && "exact" in value) return h("span", {class: "mono"}, value.exact);
  if (typeof value === "object") return h("span", {class: "mono"}, visible(JSON.stringify(value)));
  return h("span", {class: typeof value === "number" ? "mono" : null}, visible(String(value)));
}

export function drawRules(event) {
  const {routing, routing_now: now, config} = event;
  const section = h("section", {class: "card", "aria-labelledby": "rules"}, h("h2", {id: "rules"}, "Which rules"));
  if (!routing && !now) {
    section.append(h("p", {}, "No rule was asked: ", event.normalized_because ?? event.note ?? "this is no call", "."));
    return section;
  }
  const shown = routing ?? now;
  const current = routing && now ? new Map((now.rules ?? []).map((rule) => [rule.name, rule])) : null;
  const changes = current ? routeChanges(routing, now) : [];
  const since = config?.since ? [" (in use since ", timeOf(config.since), ")"] : "";
  if (changes.length > 0) {
    section.append(h("div", {class: "note"},
      h("p", {}, h("b", {}, "By the current rules it would go elsewhere"), " than by those when it came", since, ":"),
      h("ul", {}, changes.map((text) => h("li", {}, text)))));
  } else if (current && config && !config.is_current) {
    section.append(h("p", {class: "muted"}, "The config has changed since it came", since,
      ", but this event would go to the same sinks."));
  }
  if (!routing)
    section.append(h("p", {class: "muted"}, "How it was routed is not known: ",
      event.routing_because ?? "its config is not stored", ". This is what the current rules say."));
  const old = new Set((shown.rules ?? []).map((rule) => rule.name));
  section.append(h("ol", {class: "rules"}, (shown.rules ?? []).map((rule) => drawRule(rule, nowOf(rule, current))),
    current &&
      [...current.values()]
        .filter((rule) => !old.has(rule.name))
        .map((rule) => drawRule(rule, h("div", {class: "now"}, "This rule is new.")))));
  if ((shown.deliveries ?? []).length === 0)
    section.append(h("p", {}, h("b", {}, "No rule wanted it"), ", so it was recorded and sent nowhere."));
  return section;
}

/// A rule that was asked, with what decided. `isTrial`: nothing was sent, it only would be.
export function drawRule(rule, note = null, isTrial = false) {
  const conditions = rule.conditions ?? [];
  // What kept it out comes first.
  const sorted =
    [...conditions.filter((condition) => !condition.holds), ...conditions.filter((condition) => condition.holds)];
  return h("li", {class: rule.matched ? "matched" : ""},
    h("div", {}, h("a", {href: href("/rules", {}, {name: rule.name}), class: "rule-name"}, rule.name), " ",
      isTrial ? trialOf(rule) : verdict(rule)),
    note,
    sorted.length > 0 &&
      h("details", {}, h("summary", {}, plural(sorted.length, "condition")),
        h("ul", {class: "conditions"}, sorted.map(({text,
          holds}) => h("li", {}, stateWord(holds ? "ok" : "bad", holds ? "holds" : "fails"), " ", text)))));
}

function verdict(rule) {
  if (rule.matched) return [stateWord("ok", "wanted it"), " ", sentTo(rule)];
  return [stateWord("off", "did not want it"), ": ", keptOut(rule)];
}

function trialOf(rule) {
  if (rule.matched) return [stateWord("ok", "wants it"), " ", sentTo(rule, "and sends it to ")];
  return [stateWord("off", "does not want it"), ": ", keptOut(rule)];
}

function keptOut(rule) {
  return h("b", {}, rule.conditions?.find((condition) => !condition.holds)?.text ?? rule.why);
}

// What the current rules say of `rule`, if it is something else.
function nowOf(rule, current) {
  if (!current) return null;
  const now = current.get(rule.name);
  if (!now) return h("div", {class: "now"}, "Now: there is no such rule any more.");
  if (now.matched === rule.matched && String(now.sinks) === String(rule.sinks)) return null;
  return h("div", {class: "now"}, "Now: ",
    now.matched ? ["it wants it ", sentTo(now, "and sends it to ")] : ["it does not want it: ", h("b", {}, now.why)]);
}

function sentTo(rule, words = "and sent it to ") {
  const sinks = rule.sinks ?? [];
  const parts = [sinks.length > 0 ? [words, h("b", {}, sinks.join(", "))] : "but adds no sink"];
  if (rule.merged?.length > 0) parts.push(`; ${rule.merged.join(", ")} had it already by a rule before`);
  if (rule.stopped) parts.push("; the rules after it were not asked");
  return parts;
}

// Where the current rules would send it otherwise, as sentences.
function routeChanges(then, now) {
  const rulesBySink = (routing) => new Map((routing.deliveries ?? []).map(({sink, rule}) => [sink, rule]));
  const before = rulesBySink(then);
  const after = rulesBySink(now);
  const found = [];
  for (const [sink, rule] of after) {
    if (!before.has(sink))
      found.push(`also to ${sink}, by the rule ${rule}`);
    else if (before.get(sink) !== rule)
      found.push(`to ${sink} by the rule ${rule}, not ${before.get(sink)}`);
  }
  for (const [sink, rule] of before) {
    if (!after.has(sink)) found.push(`no longer to ${sink}, which the rule ${rule} named`);
  }
  return found;
}
