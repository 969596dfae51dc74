// One event from top to bottom, as it went: what came, what it was read as, which rules, what was sent.

import {at, get} from "../api.js";
import {makeCallSide} from "../call_side.js";
import {h, show} from "../dom.js";
import {drawCame} from "../event_came.js";
import {drawHead, drawMasked} from "../event_head.js";
import {drawRead, drawRules} from "../event_read.js";
import {drawSent} from "../event_sent.js";
import {bodiesMode, keepShown, maskParams} from "../mask.js";
import {makeRefresh} from "../refresh.js";
import {askReplayEvent} from "../replay.js";
import {may, onStatus, status} from "../status.js";
import {on} from "../stream.js";

const PARTS = ["head", "masked", "came", "read", "rules", "sent"];

export default {
  name: "Event",
  path: "/event/:id",
  under: "live",
  title: (params) => `Event ${params.id.slice(-6)}`,
  render(container, {params: {id}, query}) {
    const place = h("div", {class: "event"}, h("p", {class: "muted"}, "Loading…"));
    const trouble = h("p", {class: "problem", role: "alert", hidden: true});
    const parts = Object.fromEntries(PARTS.map((name) => [name, {element: h("div"), text: null}]));
    const side = makeCallSide();
    container.append(h("div", {class: "with-side"}, place, side.element));
    const open = new Set();
    const messages = new Map();  // delivery -> its message, which somebody had shown
    let event = null;
    let shownQuery = query;
    let ended = false;

    async function read() {
      try {
        const next = await get(at("events", id), maskParams(), {exact: true});
        if (ended) return;
        const isUnmasked = event !== null && event.masked.length === 0 && next.masked.length > 0;
        use(isUnmasked && next.revisions.length === event.revisions.length ? keepShown(event, next) : next);
      } catch (error) {
        if (ended) return;
        if (event === null)
          return show(place, h("h1", {}, "This event cannot be shown"), h("p", {class: "problem"}, error.message),
            h("p", {}, h("a", {href: "#/live"}, "Go to what just came in")));
        show(trouble, `What stands here may be old: ${error.message}`);
        trouble.hidden = false;
      }
    }

    function use(next) {
      const isFirst = event === null;
      event = next;
      trouble.hidden = true;
      if (isFirst) show(place, trouble, PARTS.map((name) => parts[name].element));
      draw();
      side.use(event);
      if (isFirst && shownQuery.delivery)
        document.getElementById(shownQuery.delivery)?.scrollIntoView({block: "center"});
    }

    // A part whose content is the same stays, and with it what somebody has opened there.
    function part(name, content, make) {
      const text = JSON.stringify(content);
      if (parts[name].text === text) return;
      parts[name].text = text;
      show(parts[name].element, make());
    }

    function draw() {
      const {fields, config, deliveries, note, routing, normalized_because: because} = event;
      const masked = event.masked ?? [];
      const isHidden = masked.length > 0;
      const rights = [status() === null, may("change")];
      const now = event.routing_now && {...event.routing_now, as_of: null};
      part("head", [event.status, event.agent, event.duration, note, because, deliveries, rights],
        () => drawHead(event, replay));
      part("masked", [isHidden, bodiesMode(), rights], () => drawMasked(event, use));
      const {raw, sort, rev, diff} = shownQuery;
      part("came", [event.raw, event.raw_base64, event.headers, event.revisions, isHidden, raw, sort, rev, diff],
        () => drawCame(event, shownQuery));
      part("read", [fields, because, event.stage, masked], () => drawRead(event));
      part("rules", [routing, now, event.routing_because, config, because, note], () => drawRules(event));
      part("sent", [deliveries, isHidden, rights, shownQuery.delivery],
        () => drawSent(event, {open, messages, again: refresh.now, focus: shownQuery.delivery}));
    }

    // What its dialog promises is by the current rules.
    async function replay() {
      await refresh.now();
      if (!ended && trouble.hidden && await askReplayEvent(event)) await refresh.now();
    }

    const isOfCall = (callId) => event !== null && event.call_id !== null && callId === event.call_id;
    const waitsFor = (sink) => (event?.deliveries ??
      []).some((delivery) => delivery.sink === sink && (delivery.state === "pending" || delivery.state === "held"));
    const refresh = makeRefresh(read, {soonMs: 500});
    const ends = [
      on("delivery",
        (delivery) => {
          if (delivery.event === id)
            refresh.soon();
          else if (isOfCall(delivery.call_id))
            side.soon();
        }),
      on("event",
        (other) => {
          if (other.id === id)
            refresh.soon();
          else if (isOfCall(other.call_id))
            side.soon();
        }),
      on("sink", ({sink}) => waitsFor(sink) && refresh.soon()),
      on("reload", refresh.soon),
      on("gap", refresh.soon),
      onStatus(() => event !== null && draw()),
    ];
    refresh.now();
    return {
      update({query: next}) {
        shownQuery = next;
        if (event) draw();
        return true;
      },
      dispose() {
        ended = true;
        refresh.end();
        side.end();
        for (const end of ends) end();
      },
    };
  },
};
