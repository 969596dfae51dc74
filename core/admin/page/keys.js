// Keys for everything that the mouse does. A key is left alone while somebody types or holds Ctrl, Alt or Meta; Esc
// leaves a field.

const bound = new Map();  // key -> [{about, run}], the last one first

/// Binds `key` ("j", "Enter", "/"); returns what unbinds it. `run` returns false if it was not for it.
export function bind(key, about, run) {
  const entry = {about, run};
  bound.set(key, [entry, ...(bound.get(key) ?? [])]);
  return () => bound.set(key, bound.get(key).filter((other) => other !== entry));
}

/// Binds j and k to the next and the previous of the elements that `find` gives, each of which can have the focus;
/// returns what unbinds them. `what`: what one of them is.
export function bindMoves(find, what) {
  const move = (step) => () => {
    const all = [...find()];
    if (all.length === 0) return false;
    const at = all.findIndex((one) => one.contains(document.activeElement));
    all[Math.min(all.length - 1, Math.max(0, at < 0 ? 0 : at + step))].focus();
  };
  const ends = [bind("j", `next ${what}`, move(1)), bind("k", `${what} before`, move(-1))];
  return () => ends.forEach((end) => end());
}

function isTyping(element) {
  return element.closest?.("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]") !==
    null;
}

addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return;
  if (document.querySelector("dialog[open]")) return;
  if (isTyping(event.target)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (event.key === "Enter" && event.target.closest?.("a, button, summary, [role=option]")) return;
  for (const {run} of bound.get(event.key) ?? []) {
    if (run(event) === false) continue;
    event.preventDefault();
    return;
  }
});

/// All keys that do something here: [{key, about}].
export function boundKeys() {
  return [...bound].filter(([, entries]) => entries.length > 0).map(([key, [{about}]]) => ({key, about}));
}
