// A text with line numbers, one line of which can be marked as wrong.

import {h, show} from "./dom.js";

/// {element, input, mark(place|null)}: `place` is {line, column}, from 1.
export function makeEditor({id, label, placeholder, oninput}) {
  const numbers = h("pre", {class: "numbers", "aria-hidden": "true"});
  const stripe = h("div", {class: "stripe", hidden: true});
  const input = h("textarea", {
    id,
    "aria-label": label,
    placeholder,
    wrap: "off",
    spellcheck: "false",
    autocapitalize: "off",
    autocomplete: "off"
  });
  const element = h("div", {class: "editor"}, stripe, h("div", {class: "gutter"}, numbers), input);
  let marked = null;
  let count = 0;

  function drawNumbers() {
    const lines = input.value.split("\n").length;
    if (lines === count) return;
    count = lines;
    show(numbers, Array.from({length: lines}, (_, i) => `${i + 1}\n`).join(""));
  }

  function place() {
    numbers.style.transform = `translateY(${- input.scrollTop}px)`;
    if (marked === null) return;
    const style = getComputedStyle(input);
    const height = parseFloat(style.lineHeight);
    stripe.style.height = `${height}px`;
    stripe.style.transform =
      `translateY(${parseFloat(style.paddingTop) + (marked.line - 1) * height - input.scrollTop}px)`;
  }

  input.addEventListener("input", () => {
    drawNumbers();
    oninput();
  });
  input.addEventListener("scroll", place);
  drawNumbers();
  return {
    element,
    input,
    set(text) {
      input.value = text;
      drawNumbers();
      input.scrollTop = 0;
      place();
    },
    mark(at) {
      marked = at;
      stripe.hidden = at === null;
      input.setAttribute("aria-invalid", String(at !== null));
      place();
    },
    /// Puts the caret where the mark is.
    goTo({line, column}) {
      const lines = input.value.split("\n");
      const before = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
      const at = before + [...(lines[line - 1] ?? "")].slice(0, column - 1).join("").length;
      input.focus();
      input.setSelectionRange(at, Math.min(at + 1, input.value.length));
      input.scrollTop = Math.max(0, (line - 5) * parseFloat(getComputedStyle(input).lineHeight));
    },
  };
}
