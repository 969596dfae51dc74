// The left side of Try: source, time, payload, headers.

import {makeEditor} from "./editor.js";
import {h, show} from "./dom.js";
import {tryPresets, weekdayOf} from "./presets.js";
import {exactText} from "./time.js";

const PLACEHOLDER = "Paste what the platform posted.";

/// {element, editor, fill(), setSources(names), setAt(iso)}. `draft` is {source, body, headers}: what is typed goes
/// there, then `changed()` is called; `chooseAt(Date|null)` with a time that is chosen; `example()` for the button that
/// fetches the latest event of the source.
export function makeTryForm(draft, {changed, chooseAt, example}) {
  const source = h("select", {
    id: "try-source",
    onchange: () => {
      draft.source = source.value;
      // The same payload, as if it came from there.
      if (!draft.isHidden) draft.isEdited = true;
      changed();
    }
  });
  const at =
    h("input", {type: "datetime-local", id: "try-at", onchange: () => chooseAt(at.value ? new Date(at.value) : null)});
  const presets = h("div", {class: "filters"});
  const exact = h("p", {class: "muted"});
  const editor = makeEditor({
    id: "try-body",
    label: "Payload",
    placeholder: PLACEHOLDER,
    oninput: () => {
      draft.body = editor.input.value;
      draft.isEdited = true;
      draft.isHidden = false;
      changed();
    }
  });
  const headers = h("textarea", {
    id: "try-headers",
    rows: "3",
    spellcheck: "false",
    placeholder: "Content-Type: application/json",
    oninput: () => {
      draft.headers = headers.value;
      draft.isEdited = true;
      changed();
    }
  });
  const element = h("form", {class: "try-form", onsubmit: (event) => event.preventDefault()},
    h("div", {class: "filter-form"}, h("label", {}, h("span", {}, "As if it came at"), at),
      h("label", {}, h("span", {}, "From"), source)),
    presets, exact,
    h("div", {class: "bar"},
      h("label",
        {for: "try-body"
        },
        h("h2", {}, "Payload")),
      h("div", {class: "tools"}, h("button", {type: "button", onclick: example}, "Use the latest event"))),
    editor.element,
    h("details", {class: "try-headers"}, h("summary", {}, "Headers of the request"),
      h("p", {class: "muted"},
        "One a line. Sources that read a header or a form need them; a signature is not checked here."),
      headers));

  return {
    element,
    editor,
    fill() {
      editor.set(draft.body);
      editor.input.placeholder = draft.isHidden ? "Hidden. Paste here to try another." : PLACEHOLDER;
      headers.value = draft.headers;
      source.value = draft.source;
    },
    setSources(names) {
      show(source, names.map((name) => h("option", {value: name}, name)));
      source.value = draft.source;
    },
    setAt(iso) {
      const date = iso ? new Date(iso) : null;
      at.value = date ? localText(date) : "";
      show(presets,
        tryPresets(new Date())
          .map(({label, date: preset}) => h("button", {
            type: "button",
            class: "chip",
            "aria-pressed": String((preset?.getTime() ?? null) === (date?.getTime() ?? null)),
            onclick: () => chooseAt(preset)
          },
                 label)));
      show(exact,
        date ? `${weekdayOf(date)}, ${exactText(date).replace(/\.\d{3}/g, "")}. Schedules are judged by this time.` :
               "Schedules are judged by the call's own time.");
    },
  };
}

// As a datetime-local field has it.
function localText(date) {
  return new Date(date.getTime() - date.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
}

/// "Name: value" lines as {headers, problem}: one of them is null. A masked value was never sent.
export function parseHeaders(text) {
  const headers = {};
  for (const line of text.split("\n").map((one) => one.trim()).filter(Boolean)) {
    const match = /^([!#$%&'*+.^_`|~\w-]+):\s*(.*)$/.exec(line);
    if (!match) return {headers: null, problem: `"${line}" is no header; write Name: value.`};
    if (match[2] !== "***") headers[match[1]] = match[2];
  }
  return {headers, problem: null};
}
