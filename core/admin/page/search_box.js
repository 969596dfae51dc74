// The search box: suggestions with counts from what is stored, by keyboard too; a search that cannot be done is marked
// at its place under the box. What it holds is the address's `search`.

import {get} from "./api.js";
import {h, show} from "./dom.js";
import {bind} from "./keys.js";
import {fromCodePoints, toCodePoints} from "./search_text.js";
import {countText} from "./time.js";

const DELAY_MS = 120;

/// {element, setText(text), showError(error|null)}; `submit(text)` is called when a search is wanted.
export function makeSearchBox(submit) {
  let suggestions = [];
  let range = null;
  let chosen = -1;
  let request = null;
  let timer = 0;

  const input = h("input", {
    type: "search",
    id: "search",
    role: "combobox",
    "aria-expanded": "false",
    "aria-controls": "suggestions",
    "aria-autocomplete": "list",
    "aria-label": "Search events",
    placeholder: 'Search, for example  agent:billing-eu status:failed "refund"',
    autocomplete: "off",
    autocapitalize: "off",
    spellcheck: "false",
    maxlength: "2000",
    oninput: later,
    onfocus: later,
    onclick: later,
    onkeydown: key,
    onblur: close,
  });
  const list = h("ul", {id: "suggestions", role: "listbox", class: "suggestions", hidden: true});
  const problem = h("div", {class: "search-problem", role: "alert", hidden: true});
  const form = h("form", {class: "search", role: "search"}, input,
    h("kbd", {class: "hint", "aria-hidden": "true"}, "/"), list, problem);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
  bind("/", "go to the search", () => {
    input.focus();
    input.select();
  });

  function later() {
    clearTimeout(timer);
    timer = setTimeout(suggest, DELAY_MS);
  }

  async function suggest() {
    request?.abort();
    const mine = request = new AbortController();
    const text = input.value;
    try {
      const answer = await get(
        `suggest?search=${encodeURIComponent(text)}&at=${toCodePoints(text, input.selectionStart ?? text.length)}`, {},
        {signal: mine.signal});
      if (document.activeElement !== input || input.value !== text) return;
      suggestions = answer.suggestions;
      range = [fromCodePoints(text, answer.from), fromCodePoints(text, answer.to)];
    } catch (error) {
      if (error.name === "AbortError") return;
      suggestions = [];
    }
    chosen = -1;
    draw();
  }

  function draw() {
    list.hidden = suggestions.length === 0;
    input.setAttribute("aria-expanded", String(!list.hidden));
    show(list,
      suggestions.map(
        (one, i) => h("li", {
          role: "option",
          id: `suggestion-${i}`,
          "aria-selected": String(i === chosen),
          class: one.kind,
          // The field keeps the focus. A finger that scrolls the list is no click.
          onmousedown: (event) => event.preventDefault(),
          onclick: () => take(i),
        },
          h("span", {class: "label"}, one.kind === "key" ? one.text : one.label),
          one.about && h("span", {class: "about"}, one.about),
          one.events !== null && one.events !== undefined && h("span", {class: "count"}, countText(one.events)))));
    if (chosen >= 0) {
      input.setAttribute("aria-activedescendant", `suggestion-${chosen}`);
      list.children[chosen].scrollIntoView({block: "nearest"});
    } else {
      input.removeAttribute("aria-activedescendant");
    }
  }

  function take(i) {
    const {text, kind} = suggestions[i];
    const before = input.value.slice(0, range[0]) + text;
    const after = input.value.slice(range[1]);
    const glue = kind === "key" || after.startsWith(" ") ? "" : " ";
    input.value = before + glue + after;
    const caret = before.length + (kind === "key" ? 0 : 1);
    input.setSelectionRange(caret, caret);
    if (kind === "key") return suggest();
    send();
  }

  // The keys of the list work again at once.
  function send() {
    close();
    input.blur();
    submit(input.value.trim());
  }

  function key(event) {
    const open = !list.hidden;
    if (event.key === "Escape") {
      event.preventDefault();
      if (open)
        close();
      else
        input.blur();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!open) return suggest();
      const step = event.key === "ArrowDown" ? 1 : -1;
      chosen = (chosen + step + suggestions.length + (chosen < 0 && step < 0 ? 1 : 0)) % suggestions.length;
      draw();
    } else if (open &&
      (event.key === "Enter" && chosen >= 0 || event.key === "Tab" && !event.shiftKey && chosen >= 0)) {
      event.preventDefault();
      take(chosen);
    }
  }

  function close() {
    clearTimeout(timer);
    request?.abort();
    suggestions = [];
    chosen = -1;
    draw();
  }

  function showError(error) {
    problem.hidden = error === null;
    input.setAttribute("aria-invalid", String(error !== null));
    show(problem);
    if (error === null) return;
    const {at, length} = error.body;
    if (typeof at === "number") {
      const text = input.value;
      const from = fromCodePoints(text, at);
      const to = fromCodePoints(text, at + Math.max(1, length ?? 1));
      problem.append(h("code", {}, text.slice(0, from), h("mark", {}, text.slice(from, to) || " "), text.slice(to)));
    }
    problem.append(h("span", {}, error.message));
  }

  return {
    element: form,
    showError,
    setText(text) {
      if (document.activeElement !== input || input.value.trim() !== text) input.value = text;
      showError(null);
    },
  };
}
