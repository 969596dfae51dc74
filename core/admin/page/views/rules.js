// Rules in the order in which they are asked, and how often each wanted something.

import {get} from "../api.js";
import {h, show} from "../dom.js";
import {bind, bindMoves} from "../keys.js";
import {fillField, filterField} from "../parts.js";
import {makeRefresh} from "../refresh.js";
import {go, href} from "../router.js";
import {whenOf} from "../rule_yaml.js";
import {on} from "../stream.js";
import {quoted} from "../search_text.js";
import {agoOf, countText, timeOf} from "../time.js";
import {plural} from "../words.js";

const EVERY_MS = 30000;

export default {
  name: "Rules",
  path: "/rules",
  nav: 4,
  title: (params, query) => query.name ? `Rule ${query.name}` : "Rules",
  render(container, {query}) {
    let {name = "", q = ""} = query;
    let answer = null;
    let failed = false;
    let ended = false;
    const summary = h("p", {class: "muted", role: "status"}, "Loading…");
    const filter = filterField(q, "Filter rules", "Filter: a name, a condition, a sink");
    const list = h("ol", {class: "rule-list"});
    container.append(h("div", {class: "bar"}, h("h1", {}, "Rules"), h("div", {class: "tools"}, filter)), summary, list);

    async function load() {
      try {
        const next = await get("rules");
        if (ended || JSON.stringify(next) === JSON.stringify(answer) && !failed) return;
        failed = false;
        const isFirst = answer === null;
        answer = next;
        draw();
        if (isFirst) reveal();
      } catch (error) {
        failed = true;
        if (!ended) show(summary, h("span", {class: "problem"}, error.message));
      }
    }
    const refresh = makeRefresh(load, {soonMs: 1000, everyMs: EVERY_MS});

    function draw() {
      if (answer === null) return;
      const focus = document.activeElement?.closest?.(".rule-item")?.dataset.name;
      const shown = answer.rules.map((rule, i) => ({rule, number: i + 1})).filter(({rule}) => fits(rule, q));
      show(summary,
        "Asked from top to bottom. Each rule that matches adds its sinks; a sink gets an event once, from the first rule that names it. ",
        "Counted since ", timeOf(answer.counted_since), ".");
      show(list, shown.map(({rule, number}) => drawRule(rule, number, rule.name === name)));
      if (shown.length === 0)
        show(list, h("li", {class: "muted"}, q ? "No rule has this text." : "The config has no rule."));
      if (focus) [...list.children].find((item) => item.dataset.name === focus)?.focus({preventScroll: true});
    }

    function reveal() {
      const item = [...list.children].find((one) => one.dataset.name === name);
      item?.scrollIntoView({block: "center"});
      item?.focus({preventScroll: true});
    }

    const ends = [
      refresh.end, on("reload", refresh.soon), on("gap", refresh.soon),
      bindMoves(() => list.querySelectorAll(".rule-item"), "rule"),
      bind("Enter", "the events of the rule",
        ({target}) => target.matches?.(".rule-item") ?
          go(eventsOf(answer.rules.find((rule) => rule.name === target.dataset.name))) :
          false)
    ];
    refresh.now();
    return {
      update({query: next}) {
        const moves = (next.name ?? "") !== name;
        ({name = "", q = ""} = next);
        fillField(filter, q);
        draw();
        if (moves) reveal();
        return true;
      },
      dispose() {
        ended = true;
        for (const end of ends) end();
      },
    };
  },
};

function fits(rule, q) {
  const text =
    [rule.name, whenOf(rule.yaml), rule.file, ...(rule.send ?? []).map(({sink}) => sink)].join("\n").toLowerCase();
  return text.includes(q.trim().toLowerCase());
}

function eventsOf({name, send}) {
  const isUnmatched = name === "unmatched" && !(send?.length > 0);
  return href("/live", {}, {search: isUnmatched ? "is:unmatched" : `rule:${quoted(name)}`});
}

function drawRule(rule, number, isMarked) {
  const isLast = rule.name === "unmatched";
  return h("li", {class: `rule-item card ${isMarked ? "marked" : ""}`, tabindex: "-1", "data-name": rule.name},
    h("div", {class: "rule-title"},
      h("h2", {}, !isLast && h("span", {class: "muted"}, `${number}. `),
        h("a", {href: eventsOf(rule), title: "Show its events"}, isLast ? "No rule wanted it" : rule.name)),
      rule.line !== null && rule.line !== undefined &&
        h("p", {class: "muted mono place"}, `${rule.file}:${rule.line}`)),
    h("div", {class: "rule-when"}, drawWhen(rule, isLast)), h("div", {class: "rule-send"}, targetsOf(rule, isLast)),
    h("dl", {class: "rule-counts"}, count("last 24 h", h("b", {}, countText(rule.hits_24h))),
      count("in all", countText(rule.hits)),
      count("last",
        rule.last_event ? h("a", {href: href("/event/:id", {id: rule.last_event})}, agoOf(rule.last_hit)) :
                          agoOf(rule.last_hit))),
    drawNotes(rule, isLast));
}

function drawWhen({yaml}, isLast) {
  if (isLast) return h("p", {class: "muted"}, "whatever is left");
  const text = whenOf(yaml);
  return text === "" || text === "{}" ? h("p", {class: "muted"}, "no condition of its own") : h("pre", {}, text);
}

function count(name, value) {
  return [h("dt", {}, name), h("dd", {}, value)];
}

function targetsOf(rule, isLast) {
  if (rule.drop) return h("p", {}, h("b", {}, "drops the event"), ": nothing more is asked");
  const send = rule.send ?? [];
  const target = ({sink, template}, i) => [i > 0 && ", ", h("a", {href: href("/sinks", {}, {name: sink})}, sink),
    template && h("span", {class: "muted"}, ` (template ${template})`)];
  return [
    send.length > 0 ? h("p", {}, "→ ", send.map(target)) :
                      h("p", {class: "muted"}, isLast ? "is recorded, and sent nowhere" : "sends nowhere"),
    rule.stop && h("p", {class: "muted"}, "then stops: no rule after it is asked")
  ];
}

function drawNotes(rule, isLast) {
  const notes = [];
  if (!isLast && !rule.since_reload)
    notes.push(
      rule.hits > 0 ? "It has wanted nothing since the config was last applied." : "It has never wanted anything.");
  if (rule.taken_24h > 0) {
    const by = rule.taken_by ? ["the rule ", h("a", {href: href("/rules", {}, {name: rule.taken_by})}, rule.taken_by)] :
                               "rules before it";
    notes.push(rule.taken_24h >= rule.hits_24h ?
        ["Its sinks are always taken before by ", by, `: it sent nothing of its own in 24 h.`] :
        [`${plural(rule.taken_24h, "time")} in 24 h its sinks were taken before by `, by, "."]);
  }
  return notes.length > 0 && h("ul", {class: "rule-notes"}, notes.map((note) => h("li", {}, note)));
}
