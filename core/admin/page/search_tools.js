// What can be done with everything that Live's search finds: a link to its deliveries, and a replay.

import {asking, askReplayEvents} from "./bulk.js";
import {deliveryFilterOf} from "./delivery_filter.js";
import {h, show} from "./dom.js";
import {href} from "./router.js";
import {may} from "./status.js";

/// {element, draw(search, hasEvents)}
export function makeSearchTools() {
  const element = h("div", {class: "search-tools", hidden: true});
  let drawn = "";
  return {
    element,
    draw(search, hasEvents) {
      const canReplay = Boolean(search) && hasEvents && may("change");
      const next = JSON.stringify([search, canReplay]);
      if (next === drawn) return;
      drawn = next;
      const filter = search ? deliveryFilterOf(search) : null;
      element.hidden = !filter && !canReplay;
      show(element, h("span", {class: "muted"}, "For all that it finds: "),
        filter && h("a", {class: "button", href: href("/deliveries", {}, filter)}, "Show deliveries"),
        canReplay && h("button", {type: "button", onclick: asking(() => askReplayEvents(search))}, "Replay…"));
    },
  };
}
