// Dialogs: what will be done is said, in numbers, before it is done.

import {h, show} from "./dom.js";

let opened = 0;

/// Opens a modal dialog. `content` is a node. `confirm` is the label of the button that does it (null: none), `run`
/// what it does: it may be async, its error is shown in the dialog as a sentence, and what it returns ends the dialog.
/// Returns a promise of what `run` returned; undefined if it was given up, which nobody can while `run` runs. `danger`:
/// it cannot be undone, so the button that does it has no focus.
export function openDialog({title, content, confirm = null, cancel = "Cancel", danger = false, run = () => true}) {
  return new Promise((resolve) => {
    let result;
    let running = false;
    const problem = h("p", {class: "problem", role: "alert", hidden: true});
    const ok = confirm && h("button", {type: "submit", class: danger ? "primary danger" : "primary"}, confirm);
    const giveUp = h("button", {type: "button", onclick: () => dialog.close()}, cancel);
    const heading = h("h2", {id: `dialog-title-${++opened}`}, title);
    const form = h("form", {method: "dialog"}, heading, h("div", {class: "dialog-body"}, content), problem,
      h("div", {class: "buttons"}, giveUp, ok));
    const dialog = h("dialog", {class: "dialog", "aria-labelledby": heading.id}, form);
    const focusFirst = () => (danger ? giveUp : ok ?? form.querySelector("button")).focus();
    const setRunning = (value) => {
      running = giveUp.disabled = ok.disabled = value;
      form.setAttribute("aria-busy", String(value));
    };
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (!ok || running) return;
      setRunning(true);
      problem.hidden = true;
      try {
        result = await run();
        setRunning(false);
        dialog.close();
      } catch (error) {
        show(problem, error.message);
        problem.hidden = false;
        setRunning(false);
        focusFirst();
      }
    });
    dialog.addEventListener("cancel", (event) => running && event.preventDefault());
    dialog.addEventListener("close", () => {
      // A browser lets Esc close a dialog when it is pressed twice.
      if (running) return dialog.showModal();
      dialog.remove();
      resolve(result);
    });
    document.body.append(dialog);
    dialog.showModal();
    focusFirst();
  });
}

// An open dialog covers and disables everything outside of it.
function placeOfOverlays() {
  return document.querySelector("dialog[open]") ?? document.body;
}

let toast = null;
let toastTimer = 0;

/// Says for some seconds that something was done.
export function say(text) {
  toast ??= h("div", {class: "toast", role: "status"});
  const place = placeOfOverlays();
  if (toast.parentNode !== place) place.append(toast);
  show(toast, text);
  toast.classList.add("on");
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => toast.classList.remove("on"), 4000);
}

/// Copies text and says so, or that it did not work. `what`: "The body".
export async function copy(text, what) {
  const done = await navigator.clipboard?.writeText(text).then(() => true, () => false);
  say(done || copyOld(text) ? `${what} is in the clipboard.` :
                              `The browser did not copy it. Select the text and copy it.`);
}

// Without https the clipboard API is missing, except on loopback.
function copyOld(text) {
  const before = document.activeElement;
  const area = h("textarea", {class: "offscreen", value: text});
  placeOfOverlays().append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  before?.focus({preventScroll: true});
  return done;
}

/// Saves a text or bytes as a file.
export function download(name, content) {
  const url = URL.createObjectURL(new Blob([content], {type: "application/octet-stream"}));
  const link = h("a", {href: url, download: name});
  document.body.append(link);
  link.click();
  link.remove();
  URL.revokeObjectURL(url);
}
