// A sink's last hour: a bar a minute. Sent and retried go up, dead goes down, so that colour only repeats it.

import {h, s} from "./dom.js";
import {clockText, countText} from "./time.js";
import {stateWord} from "./words.js";

const UP = 34;    // units above the line
const DOWN = 12;  // and below it
const WIDTH = 4;  // of a minute, its gap included

/// `hour` as in GET /sinks: {from, step, delivered, retried, dead}.
export function drawHour(hour) {
  const counts = {delivered: sum(hour.delivered), retried: sum(hour.retried), dead: sum(hour.dead)};
  const most = Math.max(...hour.delivered.map((n, i) => n + hour.retried[i]));
  const mostDead = Math.max(1, ...hour.dead);
  const all = counts.delivered + counts.retried + counts.dead;
  const words = all === 0 ?
    "Nothing was sent in the last hour." :
    `In the last hour ${countText(counts.delivered)} sent, ${countText(counts.retried)} retried, ${
      countText(counts.dead)} dead${most === 0 ? "" : `; at most ${countText(most)} in a minute`}.`;
  return h("figure", {class: "hour"},
    h("figcaption", {}, "Last hour: ", part("ok", counts.delivered, "sent"), ", ",
      part("wait", counts.retried, "retried"), ", ", part("bad", counts.dead, "dead")),
    s("svg", {
      viewBox: `0 0 ${hour.delivered.length * WIDTH} ${UP + DOWN}`,
      preserveAspectRatio: "none",
      role: "img",
      "aria-label": words
    },
      hour.delivered.map((_, i) => drawMinute(hour, i, most, mostDead)),
      s("line", {class: "base", x1: 0, x2: hour.delivered.length * WIDTH, y1: UP, y2: UP})),
    h("div", {class: "axis", "aria-hidden": "true"}, h("span", {}, "60 m ago"),
      h("span", {}, most === 0 ? "" : `highest: ${countText(most)} a minute`), h("span", {}, "now")));
}

function drawMinute(hour, i, most, mostDead) {
  const [sent, retried, dead] = [hour.delivered[i], hour.retried[i], hour.dead[i]];
  if (sent + retried + dead === 0) return null;
  const at = new Date(Date.parse(hour.from) + i * hour.step * 1000);
  const up = (n) => n / Math.max(1, most) * (UP - 1);
  const down = dead / mostDead * (DOWN - 1);
  const bar = (name, y, height) =>
    height > 0 && s("rect", {class: name, x: i * WIDTH, y: y.toFixed(2), width: WIDTH - 1, height: height.toFixed(2)});
  return s("g", {}, s("title", {}, `${clockText(at).slice(0, 5)}: ${sent} sent, ${retried} retried, ${dead} dead`),
    s("rect", {class: "hit", x: i * WIDTH, y: 0, width: WIDTH, height: UP + DOWN}),
    bar("sent", UP - up(sent), up(sent)), bar("retried", UP - up(sent) - up(retried), up(retried)),
    bar("dead", UP, down));
}

function part(tone, n, word) {
  return n > 0 ? stateWord(tone, `${countText(n)} ${word}`) : `${countText(n)} ${word}`;
}

function sum(numbers) {
  return numbers.reduce((total, n) => total + n, 0);
}
