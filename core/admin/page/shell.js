// The frame: name, search, state of the connection, masking; what is wrong; the navigation; one view at a time.

import {onSignInNeeded, signIn} from "./api.js";
import {drawProblems} from "./banner.js";
import {openDialog} from "./dialog.js";
import {h, show} from "./dom.js";
import {bindHelp, showHelp} from "./help.js";
import {bind} from "./keys.js";
import {bodiesMode, isMasked, onMask, setShown} from "./mask.js";
import {go, here, href, registered} from "./router.js";
import {makeSearchBox} from "./search_box.js";
import {connect, on, streamState} from "./stream.js";
import {onStatus, refreshStatus} from "./status.js";

const main = h("main", {id: "main", tabindex: "-1"});
const banner = h("div", {class: "banner", role: "region", "aria-label": "Problems", hidden: true});
const host = h("span", {class: "host"});
const nav = h("nav", {"aria-label": "Views"});
const help = h(
  "button", {type: "button", class: "quiet help", onclick: showHelp}, "Help ", h("kbd", {"aria-hidden": "true"}, "?"));
const live = h("span", {class: "connection", role: "status"});
const mask = h("button", {type: "button", class: "quiet mask"});
export const searchBox = makeSearchBox((text) => go(href("/live", {}, {search: text})));

let shown = null;  // {view, path, instance}
let needsSignIn = false;

export function start() {
  history.scrollRestoration = "manual";
  // In place of what index.html shows until the modules are here.
  document.body.replaceChildren(h("a", {
    href: "#main",
    class: "skip",
    onclick: (event) => {
      event.preventDefault();
      main.focus();
    }
  },
                                  "Skip to the content"),
    h("header", {}, h("a", {href: "#/live", class: "brand"}, "hookswitch"), host, searchBox.element, live, mask),
    banner, h("div", {class: "columns"}, nav, main));
  mask.addEventListener("click", () => bodiesMode() === "full" ? setShown(isMasked()) : explainMask());
  onMask(drawMask);
  onMask(() => render(true));
  on("state", drawConnection);
  onStatus(drawStatus);
  onSignInNeeded(askForToken);
  addEventListener("hashchange", () => render(false));
  bindHelp();
  bind("Escape", "back", () => shown?.view.nav === undefined ? goBack() : false);
  drawMask();
  drawConnection();
  render(false);
  refreshStatus();
  connect();
}

function render(again) {
  if (needsSignIn) return;
  const {view, params, query, path} = here();
  drawNavigation(view);
  document.title = `${view.title(params, query)} · hookswitch`;
  if (query.search !== undefined || view.path === "/live") searchBox.setText(query.search ?? "");
  if (!again && shown?.view === view && shown.path === path && shown.instance?.update?.({params, query})) return;
  shown?.instance?.dispose?.();
  show(main);
  main.className = "view-" + (view.path.split("/")[1] || "unknown");
  if (!again) {
    scrollTo(0, 0);
    main.focus({preventScroll: true});
  }
  shown = {view, path, instance: null};
  shown.instance = view.render(main, {params, query}) ?? null;
}

// A page that was opened in a new tab has nothing before it.
function goBack() {
  if (history.length > 1)
    history.back();
  else
    go("#/live");
}

function drawNavigation(current) {
  const entries = registered().filter((view) => view.nav !== undefined).sort((a, b) => a.nav - b.nav);
  const root = current.path.split("/")[1];
  show(nav,
    entries.map((view) => h("a", {
      href: href(view.path),
      "aria-current": view.path.split("/")[1] === (current.under ?? root) && "page",
    },
                  view.name)),
    help);
  const marked = nav.querySelector("[aria-current]");
  if (marked) nav.scrollLeft = marked.offsetLeft - nav.offsetLeft - (nav.clientWidth - marked.offsetWidth) / 2;
}

function drawConnection() {
  const {kind, text} = streamState();
  const words =
    {live: "live", connecting: "connecting", broken: "connection lost", refused: "not live", off: "not live"};
  live.className = `connection ${kind}`;
  live.title = text;
  show(live, h("span", {class: "dot", "aria-hidden": "true"}), words[kind],
    (kind === "broken" || kind === "refused") && h("span", {class: "visually-hidden"}, `: ${text}`));
}

function drawMask() {
  const mode = bodiesMode();
  mask.setAttribute("aria-pressed", String(isMasked()));
  show(mask, mode === "full" ? (isMasked() ? "masked" : "unmasked") : "masked");
  mask.title = mode !== "full" ? "The config hides what callers said." :
    isMasked()                 ? "What callers said, and their numbers, are hidden. Click to show them." :
                                 "What callers said is shown. Click to hide it.";
}

function explainMask() {
  const why = bodiesMode() === "masked" ?
    "inspector.bodies is \"masked\": transcripts, numbers and bodies stay on the router. The page of an event has a button that shows them; who used it is kept in Actions." :
    "inspector.bodies is \"off\": transcripts, numbers and bodies stay on the router and are never shown here.";
  openDialog({title: "Hidden by the config", cancel: "Close", content: h("p", {}, why)});
}

function drawStatus(status) {
  show(host, status.name ?? "");
  host.title = `version ${status.version}, config ${status.config}`;
  drawProblems(banner, status.problems ?? []);
}

function askForToken(error) {
  if (needsSignIn) return;
  needsSignIn = true;
  shown?.instance?.dispose?.();
  shown = null;
  const problem = h("p", {class: "problem", role: "alert", hidden: true});
  const token =
    h("input", {type: "password", id: "token", autocomplete: "current-password", required: true, spellcheck: "false"});
  const form = h("form", {class: "sign-in"}, h("h1", {}, "Sign in"),
    h("input", {type: "text", autocomplete: "username", value: "hookswitch", hidden: true}),
    h("p", {}, "This router wants a token: one of ", h("code", {}, "admin.token"), " or ",
      h("code", {}, "admin.tokens"), " in its config."),
    h("label",
      {for: "token"
      },
      "Token"),
    token, problem, h("button", {type: "submit", class: "primary"}, "Sign in"),
    h("p", {class: "muted"}, "It is exchanged for a cookie of 12 hours and kept nowhere in this browser."));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await signIn(token.value);
      needsSignIn = false;
      render(true);
      refreshStatus();
      connect();
    } catch (failure) {
      token.value = "";
      show(problem, failure.status === 401 ? "This is not a token of this router." : failure.message);
      problem.hidden = false;
      token.focus();
    }
  });
  document.title = "Sign in · hookswitch";
  show(main, form);
  if (error.body.detail && error.code !== "unauthorized") show(problem, error.message);
  token.focus();
}
