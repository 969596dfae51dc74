// Sending once more: what it will do is said first.

import {at, post} from "./api.js";
import {openDialog, say} from "./dialog.js";
import {h} from "./dom.js";
import {plural} from "./words.js";

/// Resolves to what the router answered; undefined if it was given up.
export async function askReplayEvent(event) {
  const routes = event.routing_now?.deliveries ?? [];
  if (routes.length === 0) {
    return openDialog({
      title: "Replay",
      cancel: "Close",
      content: h("p", {},
        event.routing_now ?
          "No current rule wants this event, so a replay would send nothing. Under \"Which rules\" stands why." :
          "This is no call that rules can judge, so there is nothing to replay.")
    });
  }
  const had = new Set(
    (event.deliveries ?? []).filter((delivery) => delivery.state === "delivered").map((delivery) => delivery.sink));
  const again = routes.filter(({sink}) => had.has(sink)).map(({sink}) => sink);
  const done = await openDialog({
    title: `Replay by the current rules`,
    confirm: `Send ${plural(routes.length, "message")}`,
    content: h("div", {},
      h("p", {},
        `The current rules are asked again about this event. That adds ${
          plural(routes.length, "delivery", "deliveries")}:`),
      h("ul", {}, routes.map(({sink, rule}) => h("li", {}, "to ", h("b", {}, sink), ` by the rule ${rule}`))),
      again.length > 0 && h("p", {}, h("b", {}, again.join(", ")), ` had it already and will get it a second time.`),
      h("p", {class: "muted"}, "It is kept in Actions.")),
    run: () => post(at("events", event.id, "replay")),
  });
  if (done) say(`${plural(done.deliveries?.length ?? routes.length, "delivery", "deliveries")} added.`);
  return done;
}

export async function askReplayDelivery(delivery) {
  const was = {
    delivered: "It was delivered before, so its destination will get the same message a second time.",
    dead: "It was not delivered before.",
    canceled: "It was canceled before and has not been sent.",
    fell_back: "Its fallback has sent it in its place, so it may be read twice.",
  }[delivery.state] ??
    "";
  const unsure =
    (delivery.attempts ?? []).some((attempt) => attempt.may_have_been_delivered) && delivery.state !== "delivered";
  const done = await openDialog({
    title: `Send once more to ${delivery.sink}`,
    confirm: "Send 1 message",
    content: h("div", {}, h("p", {}, `One message goes to ${delivery.sink}, made anew by the current config. ${was}`),
      unsure && h("p", {}, "One of the attempts before may have arrived although no answer came."),
      h("p", {class: "muted"}, "It is kept in Actions.")),
    run: () => post(at("deliveries", delivery.id, "replay")),
  });
  if (done) say("It will be sent now.");
  return done;
}
