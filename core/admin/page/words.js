// States in words. Colour (ok, wait, bad, off) only repeats them.

import {h} from "./dom.js";
import {countText, msText} from "./time.js";

/// "1 delivery", "2 deliveries".
export function plural(n, one, many = one + "s") {
  return `${countText(n)} ${n === 1 ? one : many}`;
}

const HELD = {
  settle: "held until the call has ended",
  paused: "waits: the sink is paused",
  misconfigured: "waits: the sink is misconfigured",
  unavailable: "waits: the sink is unavailable",
  removed: "waits: the sink is no longer in the config",
};

/// {tone, text, short, more}: what became of a delivery, as a sentence's part ("ops " + text) and before names (short +
/// " ops"); `more` is the reason, or null. Takes an outcome of a list as well as a whole delivery.
export function outcomeWords(delivery) {
  const attempts = typeof delivery.attempts === "number" ? delivery.attempts : delivery.attempts?.length ?? 0;
  const more = delivery.because || delivery.reason || delivery.code || null;
  const after = attempts > 0 ? ` after ${plural(attempts, "attempt")}` : "";
  switch (delivery.state) {
    case "delivered": {
      const took =
        delivery.latency_ms === null || delivery.latency_ms === undefined ? "" : ` in ${msText(delivery.latency_ms)}`;
      return {
        tone: "ok",
        text: "delivered" + took,
        short: "delivered to",
        more: attempts > 1 ? `at attempt ${attempts}` : null
      };
    }
    case "pending":
      return attempts > 0 ? {tone: "wait", text: `will be tried again${after}`, short: "trying again", more} :
                            {tone: "wait", text: "waits to be sent", short: "waiting for", more};
    case "held": {
      const text = HELD[delivery.held_by] ?? "waits";
      return {
        tone: "wait",
        text,
        short: delivery.held_by === "settle" ? "held for" : "waiting for",
        more: more ?? text
      };
    }
    case "dead": return {tone: "bad", text: `not delivered, gave up${after}`, short: "not delivered to", more};
    case "canceled": return {tone: "off", text: "canceled", short: "canceled for", more};
    case "fell_back":
      return {tone: "bad", text: "not delivered, its fallback took over", short: "fell back from", more};
    case "merged": return {tone: "ok", text: "part of a digest", short: "in a digest to", more};
    default: return {tone: "off", text: delivery.state, short: delivery.state, more};
  }
}

const STATUS_TONE = {
  completed: "ok",
  failed: "bad",
  error: "bad",
  "no-answer": "bad",
  busy: "bad",
  "balance-low": "bad",
  canceled: "off",
  stopped: "off",
};

/// The call's status as a word with a colour.
export function statusOf(status) {
  if (!status) return h("span", {class: "status off"}, "no status");
  return h("span", {class: `status ${STATUS_TONE[status] ?? "off"}`}, status);
}

export function stateWord(tone, text) {
  return h("span", {class: `state ${tone}`}, text);
}
