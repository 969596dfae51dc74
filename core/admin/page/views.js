// All views, in no order: `nav` gives their places in the navigation.

import {h} from "./dom.js";
import actions from "./views/actions.js";
import call from "./views/call.js";
import calls from "./views/calls.js";
import compare from "./views/compare.js";
import config from "./views/config.js";
import deliveries from "./views/deliveries.js";
import delivery from "./views/delivery.js";
import event from "./views/event.js";
import live from "./views/live.js";
import rules from "./views/rules.js";
import sinks from "./views/sinks.js";
import sources from "./views/sources.js";
import tryPayload from "./views/try.js";

export const views =
  [live, calls, call, event, delivery, compare, sinks, deliveries, rules, sources, tryPayload, config, actions];

export const unknown = {
  name: "Nothing here",
  path: "",
  title: () => "Nothing here",
  render(container) {
    container.append(
      h("h1", {}, "There is no such page"), h("p", {}, h("a", {href: "#/live"}, "Go to what just came in")));
  },
};
