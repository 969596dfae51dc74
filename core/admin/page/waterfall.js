// An attempt as a bar: what it waited for, then connecting, the first byte and the rest of the answer. Waits can be a
// thousand times longer than a request, so each has a scale of its own, the same for all attempts of a delivery.

import {h, s} from "./dom.js";
import {msText} from "./time.js";

const WAITS = {
  schedule: "for its time",
  settle: "for the call to end",
  pace: "for the sink's pace",
  retry: "before trying again",
  throttle: "because the destination asked to wait",
  paused: "while the sink was paused",
  trouble: "while the sink was in trouble",
  order: "for an earlier message of the call",
  slot: "for a free place among those being sent",
};
const WIDTH = 1000;

export function scaleOf(attempts) {
  const waits = attempts.map((attempt) => (attempt.waits ?? []).reduce((sum, wait) => sum + wait.ms, 0));
  return {wait: Math.max(1, ...waits), request: Math.max(1, ...attempts.map((attempt) => attempt.latency_ms ?? 0))};
}

/// {waits, request}: two bars; and the same as a sentence in `words`.
export function drawWaterfall(attempt, scale) {
  const waits = (attempt.waits ?? []).filter((wait) => wait.ms > 0);
  const total = waits.reduce((sum, wait) => sum + wait.ms, 0);
  const steps = stepsOf(attempt);
  return {
    total,
      waits: bar(waits.map((wait) => ({
        name: "wait-" + wait.for, ms: wait.ms, title: `waited ${msText(wait.ms)} ${WAITS[wait.for] ?? wait.for}`
      })),
        scale.wait),
      request: bar(steps, scale.request), words: h("span", {class: "muted"}, [
        waits.length > 0 ?
          "Waited " + waits.map((wait) => `${msText(wait.ms)} ${WAITS[wait.for] ?? wait.for}`).join(", ") + ". " :
          "Did not wait. ",
        steps.map((step) => step.title).join(", ") + "."
      ].join("")),
  };
}

function stepsOf({connect_ms: connect, first_byte_ms: first, latency_ms: all}) {
  if (all === null || all === undefined) return [{name: "answer", ms: 0, title: "The time is not known"}];
  const steps = [];
  let at = 0;
  const step = (name, until, title) => {
    steps.push({name, ms: Math.max(0, until - at), title});
    at = Math.max(at, until);
  };
  if (connect !== null && connect !== undefined) step("connect", connect, `Connected after ${msText(connect)}`);
  if (first !== null && first !== undefined)
    step("first", first, `${steps.length ? "first" : "First"} byte of the answer after ${msText(first)}`);
  step("answer", all, `${steps.length ? "all" : "All"} of it after ${msText(all)}`);
  return steps;
}

function bar(parts, scale) {
  let x = 0;
  const rects = parts.map(({name, ms, title}) => {
    const width = Math.max(ms > 0 ? 6 : 0, ms / scale * WIDTH);
    const rect =
      s("rect", {x: String(x), y: "0", width: String(width), height: "10", class: name}, s("title", {}, title));
    x += width;
    return rect;
  });
  return s("svg",
    {class: "waterfall", viewBox: `0 0 ${Math.max(WIDTH, x)} 10`, preserveAspectRatio: "none", "aria-hidden": "true"},
    rects);
}
