// What was sent: drawn as its destination draws it, beside the exact bytes.

import {at, get, post} from "./api.js";
import {drawBody} from "./body.js";
import {curlOf, curlWords, parseRequest} from "./curl.js";
import {copy} from "./dialog.js";
import {h, show} from "./dom.js";
import {visible} from "./json_tree.js";
import {bodiesMode, UNMASK_NOTE} from "./mask.js";
import {needsChange, scroller} from "./parts.js";
import {drawLimits, drawSlack, isSlackMessage} from "./slack.js";
import {countText, timeOf} from "./time.js";

/// A request: {method, url, headers: [{name, value}], body, cut}.
export function drawRequest(request, {note = null} = {}) {
  const message = parsed(request.body);
  const slack = isSlackMessage(message, request.url);
  const bytes = new TextEncoder().encode(request.body).length;
  return h("div", {class: "message"}, note && h("p", {class: "muted"}, note),
    h("div", {class: slack ? "beside" : ""}, slack && drawAsSlack(message),
      h("div", {},
        h("h4", {}, "The bytes ",
          h("span", {class: "muted"}, `${countText(bytes)}${request.cut ? " of them kept" : ""}`)),
        h("pre", {class: "raw head", ...scroller("Address and headers")}, `${request.method} ${visible(request.url)}`,
          request.headers.map(({name, value}) => `\n${name}: ${visible(value)}`)),
        h("pre", {class: "raw", ...scroller("The body that was sent")}, visible(request.body),
          request.cut && h("mark", {}, " … (the rest was not kept)")),
        h("div", {class: "buttons"},
          h("button", {type: "button", onclick: () => copy(request.body, "The body")}, "Copy"),
          h("button", {type: "button", onclick: () => copy(curlOf(request), curlWords(request, "A curl command"))},
            "Copy as curl")),
        message !== null && !request.cut && h("details", {}, h("summary", {}, "As a tree"), drawBody(request.body)))));
}

// Sinks may send anything: a message that Slack would refuse is still shown as its bytes.
function drawAsSlack(message) {
  try {
    return h("div", {}, h("h4", {}, "As Slack shows it"), drawSlack(message), h("h4", {}, "Slack's limits"),
      drawLimits(message));
  } catch {
    return h("div", {}, h("h4", {}, "As Slack shows it"),
      h("p", {class: "muted"}, "It is no message as Slack knows them, so it is not drawn."));
  }
}

function parsed(body) {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}

/// The message of a delivery's attempt. Where the kept request was cut, or there is none, the whole of it as the
/// current config makes it is loaded. `messages`: those that somebody had shown, by delivery; they stay shown.
export function drawAttemptMessage(delivery, attempt, {isHidden = false, messages = new Map()} = {}) {
  if (isHidden && !attempt?.request)
    return h("p", {class: "muted"}, "The message is hidden, as it holds what callers said.");
  const request = attempt?.request ? parseRequest(attempt.request) : null;
  if (request && !request.cut) return drawRequest(request);
  if (attempt?.request && !request)
    return h("pre", {class: "raw", ...scroller("What was sent")}, visible(attempt.request));
  const place = h("div", {}, h("p", {class: "muted"}, "Loading…"));
  const why = request ?
    "Only the beginning of what was sent was kept (journal.keep_bodies). This is the whole message" :
    attempt ? "What was sent was not kept. This is the message" :
              "Nothing has been sent yet. This is the message";
  const draw = (message, note) => show(place, drawMessage(message, note), request && drawKept(request));
  load(delivery, place, {why, draw, kept: request, messages});
  return place;
}

function drawKept(request) {
  return h("details", {class: "more-of"}, h("summary", {}, "The beginning that was kept"), drawRequest(request));
}

async function load(delivery, place, {why, draw, kept, messages}) {
  const noteOf = (asOf) => [why, " as the current config makes it, ", timeOf(asOf), "."];
  const unmask = async () => {
    try {
      const {message} = await post(at("deliveries", delivery.id, "unmask"));
      messages.set(delivery.id, {message, asOf: new Date().toISOString()});
      draw(message, noteOf(messages.get(delivery.id).asOf));
    } catch (error) {
      show(place, h("p", {class: "problem"}, error.message));
    }
  };
  try {
    const {message, as_of: asOf, masked} = await get(at("deliveries", delivery.id, "message"));
    const known = masked.length > 0 ? messages.get(delivery.id) : {message, asOf};
    if (known)
      draw(known.message, noteOf(known.asOf));
    else
      show(place, drawWithheld(unmask));
  } catch (error) {
    show(place, h("p", {class: "problem"}, error.message), kept && drawRequest(kept));
  }
}

function drawWithheld(unmask) {
  return h("p", {class: "muted"}, "The whole message is hidden, as it holds what callers said. ",
    bodiesMode() === "masked" &&
      [h("button", {type: "button", ...needsChange(), onclick: unmask}, "Show the message"), UNMASK_NOTE]);
}

/// A message as POST /explain and GET deliveries/{id}/message give it (M in OPERATING.md).
export function drawMessage(message, note = null) {
  if (message?.not_sent) return h("p", {}, "It is not sent: ", message.not_sent);
  if (message?.event)
    return h("div", {}, h("p", {class: "muted"}, "The plugin gets the event as it is."),
      drawBody(JSON.stringify(message.event)));
  if (message?.writes !== undefined)
    return h("div", {}, h("p", {}, "Written to ", h("b", {}, message.to ?? "the sink"), ":"),
      h("pre", {class: "raw", ...scroller("What is written")}, visible(String(message.writes))));
  if (!message?.method) return h("p", {class: "muted"}, "This message cannot be shown.");
  const step = (one) => ({
    method: one.method,
    url: one.url,
    headers: Object.entries(one.headers ?? {}).map(([name, value]) => ({name, value: String(value)})),
    body: textOf(one.body),
    cut: false
  });
  return h("div", {}, drawRequest(step(message), {note}),
    (message.then ?? [])
      .map((next) => h("div", {class: "then"}, h("h4", {}, `Then, ${next.after ?? "after it"}`),
             next.method ? drawRequest(step(next)) : drawMessage(next))));
}

function textOf(body) {
  if (body === null || body === undefined) return "";
  return typeof body === "string" ? body : JSON.stringify(body);
}
