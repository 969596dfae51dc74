// "What was sent": each delivery with the sentence that says where it stands, and its attempts.

import {h} from "./dom.js";
import {href} from "./router.js";
import {visible} from "./json_tree.js";
import {drawAttemptMessage} from "./message_view.js";
import {needsChange, scroller} from "./parts.js";
import {askReplayDelivery} from "./replay.js";
import {agoOf, msText, timeOf} from "./time.js";
import {drawWaterfall, scaleOf} from "./waterfall.js";
import {outcomeWords, stateWord} from "./words.js";

/// `open`: a set of what is open, kept by the caller so that a new drawing opens it again; `messages`: the same for
/// messages that somebody had shown, by delivery. `again()` reads the event anew.
export function drawSent(event, {open, messages, again, focus = null}) {
  const deliveries = event.deliveries ?? [];
  // At first the messages of a few deliveries are open; what somebody closes stays closed.
  if (!open.has("seen")) {
    open.add("seen");
    for (const delivery of deliveries.slice(0, OPEN_AT_FIRST))
      if (delivery.attempts?.length > 0) open.add(`${delivery.id} message`);
  }
  const isHidden = (event.masked ?? []).length > 0;
  return h("section", {class: "card", "aria-labelledby": "sent"}, h("h2", {id: "sent"}, "What was sent"),
    deliveries.length === 0 ?
      h("p", {}, "Nothing: no rule sent it anywhere.") :
      deliveries.map((delivery) => drawDelivery(delivery, {open, messages, again, focus, isHidden})));
}

const OPEN_AT_FIRST = 3;
const ENDED = new Set(["delivered", "dead", "canceled", "fell_back"]);

function drawDelivery(delivery, {open, messages, again, focus, isHidden}) {
  const attempts = delivery.attempts ?? [];
  const last = attempts.at(-1);
  const {tone, text, more} = outcomeWords({latency_ms: last?.latency_ms ?? null, ...delivery});
  const scale = scaleOf(attempts);
  const isOpen = delivery.state === "pending" || delivery.state === "held";
  return h("article", {class: `delivery ${delivery.id === focus ? "focused" : ""}`, id: delivery.id},
    h("div", {class: "bar"},
      h("h3", {}, h("a", {href: href("/sinks", {}, {name: delivery.sink})}, delivery.sink), " ", stateWord(tone, text)),
      delivery.is_replay && h("span", {class: "tag"}, "replayed ", timeOf(delivery.replayed_at)),
      delivery.is_fallback && h("span", {class: "tag"}, "as a fallback"),
      h("div", {class: "tools"},
        ENDED.has(delivery.state) &&
          h("button", {
            type: "button",
            ...needsChange(),
            onclick: () => askReplayDelivery(delivery).then((done) => done && again())
          },
            delivery.state === "delivered" ? "Send again" : "Try again"))),
    more && h("p", {}, sentence(more)),
    last?.action && delivery.state !== "delivered" && h("p", {}, h("b", {}, "What to do: "), sentence(last.action)),
    h("p", {class: "muted"}, "Rule ", h("a", {href: href("/rules", {}, {name: delivery.rule})}, delivery.rule),
      delivery.template && `, template ${delivery.template}`,
      isOpen && delivery.due && [", next try ", agoOf(delivery.due)],
      delivery.fallback && [", then ", h("a", {href: href("/delivery/:id", {id: delivery.fallback})}, "its fallback")],
      ` · ${delivery.id}`),
    attempts.length > 0 &&
      h("ol", {class: "attempts"}, attempts.map((attempt) => drawAttempt(delivery, attempt, scale, open))),
    remembered(open, `${delivery.id} message`, attempts.length > 0 ? "The message" : "What will be sent",
      () => drawAttemptMessage(delivery, last, {isHidden, messages})));
}

function sentence(text) {
  return text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");
}

const OUTCOMES = {
  delivered: ["ok", "delivered"],
  rejected: ["bad", "rejected"],
  misconfigured: ["bad", "misconfigured"],
  next: ["ok", "a step done"]
};
const TRIGGERS = {
  manual: "by hand",
  automatic: "",
  first: ""
};

function drawAttempt(delivery, attempt, scale, open) {
  const isLast = attempt === delivery.attempts.at(-1);
  const [tone, word] = attempt.outcome === "retry" ?
    (isLast && ENDED.has(delivery.state) ? ["bad", "failed"] :
                                           ["wait", isLast ? "failed, will be tried again" : "failed"]) :
    OUTCOMES[attempt.outcome] ?? ["off", attempt.outcome];
  const {waits, request, words, total} = drawWaterfall(attempt, scale);
  return h("li", {class: "attempt"},
    h("div", {class: "attempt-line"}, h("span", {class: "when"}, `${attempt.number}. `, timeOf(attempt.started_at)),
      h("span", {class: "bars"}, h("span", {class: "bar-label"}, total > 0 ? `waited ${msText(total)}` : "no wait"),
        waits, h("span", {class: "bar-label"}, `took ${msText(attempt.latency_ms)}`), request),
      h("span", {}, stateWord(tone, word),
        attempt.http_status && h("span", {class: "muted"}, ` HTTP ${attempt.http_status}`),
        TRIGGERS[attempt.trigger] && h("span", {class: "tag"}, TRIGGERS[attempt.trigger]))),
    h("p", {class: "attempt-words"}, words,
      attempt.reason && attempt.outcome !== "delivered" && [" ", sentence(attempt.reason)],
      attempt.may_have_been_delivered && attempt.outcome !== "delivered" && " It may have arrived all the same."),
    (attempt.request || attempt.response) &&
      remembered(open, `${delivery.id} ${attempt.number}`, "Request and response",
        () => h("div", {class: "beside"},
          h("div", {}, h("h4", {}, "Request"),
            h("pre", {class: "raw", ...scroller("Request")}, attempt.request ? visible(attempt.request) : "not kept")),
          h("div", {}, h("h4", {}, "Response"),
            h("pre", {class: "raw", ...scroller("Response")},
              attempt.response ? visible(attempt.response) : "none")))));
}

// <details> whose content is made when it is opened, and that is open again after a new drawing.
function remembered(open, key, title, make) {
  const details = h("details", {class: "more-of"}, h("summary", {}, title));
  const fill = () => {
    if (details.children.length === 1) details.append(make());
  };
  if (open.has(key)) {
    details.open = true;
    fill();
  }
  details.addEventListener("toggle", () => {
    if (details.open)
      open.add(key), fill();
    else
      open.delete(key);
  });
  return details;
}
