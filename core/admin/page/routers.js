// The routers that share a journal.

import {h} from "./dom.js";
import {makeTable} from "./parts.js";
import {durationText} from "./time.js";

/// Nothing if there is one alone.
export function drawRouters(routers) {
  if (routers.length < 2) return [];
  const rows =
    routers.map((router) => h("tr", {},
                  h("th", {scope: "row"}, router.name, router.this && h("span", {class: "muted"}, " (this one)")),
                  h("td", {"data-label": "Delivers to"},
                    router.lanes.length > 0 ? router.lanes.join(", ") :
                                              h("span", {class: "muted"}, "nothing: it takes over if need be")),
                  h("td", {"data-label": "Config", class: "mono"}, router.config.slice(0, 12)),
                  h("td", {"data-label": "Version"}, router.version),
                  h("td", {"data-label": "Seen"}, `${durationText(Math.round(router.lease_age))} ago`)));
  const configs = new Set(routers.map((router) => router.config));
  return [
    h("h2", {}, "Routers"),
    configs.size > 1 &&
      h("p", {class: "note"}, h("b", {}, "They run different configs"),
        ": an event is routed by that of the router which takes it."),
    makeTable("routers", ["Router", "Delivers to", "Config", "Version", "Seen"], h("tbody", {}, rows)),
  ];
}
