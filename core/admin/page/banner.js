// What is wrong, worst first: one sentence each, what to do about it, and for a sink its test and its resume.

import {asking} from "./bulk.js";
import {h, keyed} from "./dom.js";
import {href} from "./router.js";
import {askResume, askTest} from "./sink_acts.js";
import {may} from "./status.js";
import {agoOf} from "./time.js";

const PATHS = {
  sink: "/sinks",
  source: "/sources",
  config: "/config"
};

let drawn = new Map();   // as it is drawn -> problem
const open = new Set();  // keys of those whose hint is shown

/// The problems of GET /status in `banner`, which is hidden if there are none.
export function drawProblems(banner, problems) {
  banner.hidden = problems.length === 0;
  // An unchanged problem keeps its line, and the line its focus.
  drawn = new Map(problems.map((problem) => [textOf(problem), drawn.get(textOf(problem)) ?? problem]));
  const items = [...drawn.values()];
  const keys = keysOf(items);
  keyed(banner, items, (problem) => keys.get(problem), (problem) => drawProblem(problem, keys.get(problem)));
}

function textOf(problem) {
  return JSON.stringify([problem, may("change")]);
}

// One sink may have several troubles at once, and one trouble at several places. The text is no key: it counts.
function keysOf(problems) {
  const times = new Map();
  return new Map(problems.map((problem) => {
    const key = JSON.stringify([problem.kind, problem.name, problem.since, problem.hint]);
    times.set(key, (times.get(key) ?? 0) + 1);
    return [problem, `${times.get(key)} ${key}`];
  }));
}

function drawProblem(problem, key) {
  const hint = problem.hint && h("p", {class: "hint-text", hidden: !open.has(key)}, problem.hint);
  const canMend = problem.kind === "sink" && may("change");
  function toggle({target}) {
    hint.hidden = !hint.hidden;
    target.setAttribute("aria-expanded", String(!hint.hidden));
    if (hint.hidden)
      open.delete(key);
    else
      open.add(key);
  }
  return h("div", {class: `problem-line ${problem.severity}`},
    h("strong", {}, problem.severity === "error" ? "Problem" : "Warning"), h("span", {class: "sentence"}, problem.text),
    h("span", {class: "links"}, problem.since && agoOf(problem.since),
      hint &&
        h("button", {type: "button", class: "quiet", "aria-expanded": String(open.has(key)), onclick: toggle},
          "What to do"),
      canMend && h("button", {type: "button", class: "quiet", onclick: asking(() => askTest(problem.name))}, "Test"),
      canMend &&
        h("button", {type: "button", class: "quiet", onclick: asking(() => askResume(problem.name))}, "Resume"),
      PATHS[problem.kind] &&
        h("a", {href: href(PATHS[problem.kind], {}, problem.kind === "config" ? {} : {name: problem.name})}, "Open")),
    hint);
}
