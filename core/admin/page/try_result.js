// The right side of Try: what the payload is read as, which rules want it, and what would be sent.

import {h, show} from "./dom.js";
import {drawRead, drawRule} from "./event_read.js";
import {drawMessage} from "./message_view.js";
import {href} from "./router.js";
import {plural, stateWord} from "./words.js";

/// {element, show(answer, {isHidden}), fail(error, goTo), wait(), hint(text)}
export function makeTryResult(actions) {
  const head = h("div", {class: "card try-head", role: "status"});
  const read = h("div", {});
  const rules = h("div", {});
  const messages = h("div", {});
  const element = h("div", {class: "try-result"}, head, read, rules, messages);
  const drawn = new Map();

  // A part that says the same stays, and with it what somebody has opened there.
  function part(place, value, draw) {
    const text = JSON.stringify(value);
    if (drawn.get(place) === text) return;
    drawn.set(place, text);
    show(place, draw());
  }

  function clear() {
    drawn.clear();
    for (const place of [read, rules, messages]) show(place);
  }

  return {
    element,
    wait() {
      element.setAttribute("aria-busy", "true");
    },
    hint(text) {
      element.removeAttribute("aria-busy");
      element.classList.remove("stale");
      clear();
      show(head, h("p", {class: "muted"}, text));
    },
    fail(error, goTo) {
      element.removeAttribute("aria-busy");
      element.classList.add("stale");
      const {line, column} = error.body ?? {};
      show(head, h("p", {class: "problem"}, error.message),
        line &&
          h("button", {type: "button", onclick: () => goTo({line, column: column ?? 1})},
            `Go to line ${line}, column ${column ?? 1}`));
    },
    show(answer, {isHidden, note}) {
      element.removeAttribute("aria-busy");
      element.classList.remove("stale");
      show(head, h("p", {class: "summary"}, summaryOf(answer)), isHidden ? note : actions);
      part(read, isHidden ? null : answer.fields, () => !isHidden && drawRead({...answer, masked: []}));
      part(rules, answer.rules, () => drawRules(answer));
      part(messages, isHidden ? null : answer.messages, () => !isHidden && drawMessages(answer.messages ?? []));
    },
  };
}

function summaryOf({deliveries}) {
  if (deliveries.length === 0)
    return [stateWord("off", "No rule wants it."), " It would be recorded and sent nowhere."];
  return [
    stateWord("ok", plural(deliveries.length, "message")), ": ",
    deliveries.map(({sink, rule}, i) => [i > 0 && ", ", h("a", {href: href("/sinks", {}, {name: sink})}, sink),
                     h("span", {class: "muted"}, ` (rule ${rule})`)]),
    "."
  ];
}

function drawRules({rules}) {
  return h("section", {class: "card", "aria-labelledby": "try-rules"}, h("h2", {id: "try-rules"}, "Which rules"),
    rules.length === 0 ? h("p", {}, "The config has no rule.") :
                         h("ol", {class: "rules"}, rules.map((rule) => drawRule(rule, null, true))));
}

function drawMessages(messages) {
  if (messages.length === 0) return null;
  return h("section", {class: "card", "aria-labelledby": "try-messages"},
    h("h2", {id: "try-messages"}, "What would be sent"),
    messages.map(
      (message) => h("div", {class: "delivery"},
        h("h3", {}, message.sink ?? "", message.rule && h("span", {class: "muted"}, ` by the rule ${message.rule}`)),
        drawMessage(message))));
}
