// "Save as a test case": the YAML, to be copied or downloaded.

import {fileName, makeCase} from "./case_yaml.js";
import {copy, download, openDialog} from "./dialog.js";
import {h, show} from "./dom.js";
import {weekdayOf} from "./presets.js";

/// `answer` is what POST /explain said of this payload at this time.
export function askSaveCase({source, body, headers, at, answer}) {
  const sinks = answer.deliveries.map(({sink}) => sink);
  const given = {source, body, at, sinks};
  const name = h("input", {
    type: "text",
    id: "case-name",
    value: nameOf(answer.event, sinks, at),
    autocomplete: "off",
    maxlength: "200",
    oninput: draw
  });
  const yaml = h("pre", {class: "raw case", tabindex: "0", "aria-label": "The case"});
  const payload = h("div", {});
  const current = () => makeCase({...given, name: name.value.trim() || "a case"});

  function draw() {
    const {yaml: text, file} = current();
    show(yaml, text);
    show(payload,
      file &&
        h("p", {}, "The payload is no plain JSON, so it goes into a file of its own: ",
          h("button", {type: "button", onclick: () => download(file.name.replace(/^.*\//, ""), file.text)},
            `Download ${file.name}`)));
  }
  draw();
  return openDialog({
    title: "Save as a test case",
    cancel: "Close",
    content: h("div", {class: "save-case"},
      h("label",
        {for: "case-name"
        },
        "What it shows"),
      name,
      h("p", {}, "It passes as long as ",
        sinks.length > 0 ? `this payload goes to ${sinks.join(", ")}, and nowhere else` : "no rule wants this payload",
        ". Run it with ", h("code", {}, "hookswitch test -c FILE CASES.yaml"), "."),
      yaml, payload, headers.trim() && h("p", {class: "muted"}, "The headers are not part of a case."),
      h("div", {class: "buttons"},
        h("button", {type: "button", onclick: () => copy(current().yaml, "The case")}, "Copy"),
        h("button", {type: "button", onclick: () => download(`${fileName(name.value)}.yaml`, current().yaml)},
          "Download"))),
  });
}

/// "an error call of billing-eu reaches ops"
export function nameOf(event, sinks, at) {
  const status = event?.status ?? "unknown";
  const article = "aeiou".includes(status[0]) ? "an" : "a";
  const what = `${article} ${status} call of ${event?.agent?.name ?? event?.agent?.id ?? "no agent"}`;
  const day = at ? ` on a ${weekdayOf(new Date(at))}` : "";
  return `${what}${day} ${sinks.length > 0 ? `reaches ${sinks.join(" and ")}` : "reaches nobody"}`;
}
