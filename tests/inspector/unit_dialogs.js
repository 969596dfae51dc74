// Unit tests of dialogs, of what is asked there, and of keys. They need a document.

import {askPurge} from "../../core/admin/page/bulk.js";
import {copy, openDialog} from "../../core/admin/page/dialog.js";
import {h} from "../../core/admin/page/dom.js";
import {bind, bindMoves} from "../../core/admin/page/keys.js";
import {same, test} from "./unit.js";

const shown = () => document.querySelector("dialog[open]");
const button = (text) => [...shown().querySelectorAll("button")].find((one) => one.textContent === text);
const turn = () => new Promise((resolve) => setTimeout(resolve));

/// What `holds()` returns once it is true.
export async function until(holds) {
  for (let i = 0; i < 600; ++i) {
    const found = holds();
    if (found) return found;
    await turn();
  }
  throw new Error(`it never comes: ${holds}`);
}

// A promise and what ends it.
function pending() {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, {resolve, reject}));
  return made;
}

// Runs `use(asked)` with a router that gives `answers` in turn: [status, body].
async function withAnswers(answers, use) {
  const real = window.fetch;
  const asked = [];
  window.fetch = async (url, {body}) => {
    asked.push(JSON.parse(body));
    const [status, answer] = answers.shift();
    return new Response(JSON.stringify(answer), {status});
  };
  try {
    return await use(asked);
  } finally {
    window.fetch = real;
  }
}

test("what runs cannot be given up, neither by its button nor by Esc", async () => {
  const work = pending();
  const done = openDialog({title: "Purge", content: "x", confirm: "Do it", cancel: "Keep", run: () => work.promise});
  button("Do it").click();
  await until(() => button("Do it").disabled);
  same([button("Do it").disabled, button("Keep").disabled], [true, true]);
  same(shown().dispatchEvent(new Event("cancel", {cancelable: true})), false);
  shown().close();
  await until(shown);
  same(button("Keep").disabled, true);
  work.resolve("done");
  same([await done, shown()], ["done", null]);
});
test("after an error a dialog can be given up", async () => {
  const done = openDialog({title: "Purge", content: "x", confirm: "Do it", run: () => Promise.reject(new Error("It is busy."))});
  button("Do it").click();
  await until(() => !shown().querySelector("[role=alert]").hidden);
  same(shown().querySelector("[role=alert]").textContent, "It is busy.");
  button("Cancel").click();
  same(await done, undefined);
});
test("a dialog has its title as a name, and what cannot be undone has no focus", async () => {
  const focused = async (danger) => {
    const done = openDialog({title: "Really?", content: "x", confirm: "Do it", danger});
    const name = document.getElementById(shown().getAttribute("aria-labelledby")).textContent;
    const text = document.activeElement.textContent;
    button("Cancel").click();
    await done;
    return [name, text];
  };
  same([await focused(true), await focused(false)], [["Really?", "Cancel"], ["Really?", "Do it"]]);
});
test("what is copied inside a dialog is selected there, and a browser that refuses is not said to have copied", async () => {
  const real = [Object.getOwnPropertyDescriptor(Navigator.prototype, "clipboard"), document.execCommand];
  const selected = [];
  let works = true;
  Object.defineProperty(Navigator.prototype, "clipboard", {configurable: true, get: () => undefined});
  document.execCommand = () => {
    selected.push(getSelection().toString() || document.activeElement.value);
    return works;
  };
  const said = () => document.querySelector(".toast").textContent;
  const done = openDialog({title: "Save", content: h("p", {}, "x"), cancel: "Close"});
  await copy("the text", "The case");
  const first = said();
  works = false;
  await copy("other", "The case");
  const second = said();
  button("Close").click();
  await done;
  Object.defineProperty(Navigator.prototype, "clipboard", real[0]);
  document.execCommand = real[1];
  same([selected, first, second.startsWith("The browser did not copy it.")], [["the text", "other"], "The case is in the clipboard.", true]);
});

test("Esc in a field leaves the field, not the page", () => {
  let left = 0;
  const end = bind("Escape", "back", () => void ++left);
  const field = h("input", {type: "text"});
  document.body.append(field);
  field.focus();
  const press = (element) => element.dispatchEvent(new KeyboardEvent("keydown", {key: "Escape", bubbles: true, cancelable: true}));
  press(field);
  const found = [document.activeElement === field, left];
  press(document.body);
  field.remove();
  end();
  same([...found, left], [false, 0, 1]);
});

test("j and k go from one to the next, and stay at the ends", () => {
  const place = h("div", {}, h("a", {href: "#/1"}, "1"), h("a", {href: "#/2"}, "2"));
  document.body.append(place);
  const end = bindMoves(() => place.children, "row");
  const press = (key) => {
    document.body.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true}));
    return document.activeElement.textContent;
  };
  const found = [..."jjjkk"].map(press);
  end();
  place.remove();
  same(found, ["1", "2", "2", "1", "1"]);
});

const counted = {ok: true, dry_run: true, matched: 100, changed: 0, deliveries: [], since: "2026-03-04T07:00:00Z", until: "2026-03-04T09:00:00Z"};

test("what came in after the count is not purged", () => withAnswers([[200, counted], [200, {...counted, changed: 100}]], async (asked) => {
  const done = askPurge({state: "dead", sink: "ops", since: "2h"});
  await until(shown);
  button("Cancel 100 deliveries").click();
  same([(await done).changed, asked[1]], [100, {state: "dead", sink: "ops", since: "2026-03-04T07:00:00Z", until: "2026-03-04T09:00:00Z"}]);
}));
test("a purge that fails halfway says how many were done", () => withAnswers([[200, counted], [503, {ok: false, error: "unavailable", detail: "the disk is full", matched: 100, changed: 40}]], async () => {
  const done = askPurge({state: "dead", sink: "ops"});
  await until(shown);
  button("Cancel 100 deliveries").click();
  await until(() => !shown().querySelector("[role=alert]").hidden);
  same(shown().querySelector("[role=alert]").textContent, "40 of 100 were done before it failed: The disk is full");
  button("Keep").click();
  await done;
}));
