// Help: what stands where, how to search, and the keys. A view's number is its key.

import {openDialog} from "./dialog.js";
import {h} from "./dom.js";
import {bind, boundKeys} from "./keys.js";
import {go, href, registered} from "./router.js";

const ABOUT = {
  "/live": "what comes in, and what becomes of it",
  "/calls": "a row for each call, with all of its events",
  "/sinks": "where messages go: which work, what waits, pause, resume, test, replay",
  "/rules": "which events go where, and how often each rule wanted one",
  "/sources": "who may post here, when each was last heard, what was refused and why",
  "/try": "what would become of a payload, at any time",
  "/config": "each value and where it comes from; the last reload",
  "/actions": "who did what, and who looked at hidden content",
};

const SEARCHES = [
  ["agent:billing-* status:failed", "failed calls of some agents"],
  ["state:dead after:12h", "what was not delivered, of the last 12 hours"],
  ["duration:>2m -sink:sales", "long calls that did not go to sales"],
  ["\"late delivery\"", "words of a call, one after the other"],
];

const NAMES = {
  Escape: "Esc",
  " ": "Space"
};

function views() {
  return registered().filter((view) => view.nav !== undefined).sort((a, b) => a.nav - b.nav);
}

/// Binds `?` and the number of each view.
export function bindHelp() {
  bind("?", "this help", showHelp);
  for (const view of views()) bind(String(view.nav), null, () => go(href(view.path)));
}

export function showHelp() {
  const close = () => document.querySelector("dialog[open]")?.close();
  const keys = boundKeys().filter(({about}) => about);
  openDialog({
    title: "Help",
    cancel: "Close",
    content: h("div", {class: "help-text"}, h("h3", {}, "What stands where"),
      h("table", {class: "plain narrow"},
        h("tbody", {},
          views().map((view) => h("tr", {}, h("td", {}, h("kbd", {}, view.nav)),
                        h("th", {scope: "row"}, h("a", {href: href(view.path), onclick: close}, view.name)),
                        h("td", {}, ABOUT[view.path]))))),
      h("h3", {}, "Search"),
      h("p", {}, "Words, and terms such as ", h("code", {}, "key:value"),
        "; all of them must hold. The box suggests keys and values."),
      h("table", {class: "plain narrow"},
        h("tbody", {},
          SEARCHES.map(
            ([search, about]) => h("tr", {},
              h("td", {}, h("a", {href: href("/live", {}, {search}), onclick: close, class: "mono"}, search)),
              h("td", {}, about))))),
      h("h3", {}, "Keys"), h("table", {class: "plain narrow"}, h("tbody", {}, keys.map(({key,
        about}) => h("tr", {}, h("td", {}, h("kbd", {}, NAMES[key] ?? key)), h("td", {}, about)))))),
  });
}
