// "in 25 s": how long until something is done, counted down in the page.

import {h} from "./dom.js";
import {agoText, exactText} from "./time.js";

/// A <time> that counts down to `iso`; from then on it says "now".
export function countdown(iso) {
  const date = new Date(iso);
  return h("time", {datetime: iso, title: exactText(date), class: "countdown"}, textOf(date));
}

function textOf(date) {
  const left = date.getTime() - Date.now();
  if (left <= 0) return "now";
  // Whole seconds up to an hour: a countdown that stands still for a minute looks broken.
  const seconds = Math.ceil(left / 1000);
  if (seconds < 60) return `in ${seconds} s`;
  if (seconds < 3600) return `in ${Math.floor(seconds / 60)} m ${String(seconds % 60).padStart(2, "0")} s`;
  return agoText(date);
}

setInterval(() => {
  if (document.hidden) return;
  for (const element of document.querySelectorAll("time.countdown")) {
    const text = textOf(new Date(element.getAttribute("datetime")));
    if (element.textContent !== text) element.textContent = text;
  }
}, 1000);
