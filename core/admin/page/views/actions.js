// Actions: who did what, when, and how it ended.

import {get} from "../api.js";
import {h, show} from "../dom.js";
import {filterText} from "../bulk.js";
import {bindMoves} from "../keys.js";
import {makeTable} from "../parts.js";
import {makeRefresh} from "../refresh.js";
import {href} from "../router.js";
import {on} from "../stream.js";
import {agoOf, shortText, timeOf} from "../time.js";
import {plural, stateWord} from "../words.js";

const PAGE = 100;
const AGAIN_MS = 1000;

export default {
  name: "Actions",
  path: "/actions",
  nav: 8,
  title: () => "Actions",
  render(container) {
    let actions = [];
    let cursor;
    let loading = false;
    let failed = false;
    let ended = false;
    const rows = h("tbody", {});
    const table = makeTable("actions", ["When", "Who", "What", "Result"], rows);
    const foot = h("p", {class: "foot muted", role: "status"}, "Loading…");
    const older = h("button", {type: "button", hidden: true, onclick: () => more()}, "Show older ones");
    const about =
      "What people and programs did with this router: pauses, replays, purges, reloads, and who looked at hidden content. Newest first.";
    container.append(h("h1", {}, "Actions"), h("p", {class: "muted"}, about), table, foot, older);
    table.hidden = true;

    async function more() {
      if (loading) return;
      loading = true;
      try {
        const page = await get("actions", {limit: PAGE, cursor});
        if (ended) return;
        actions = cursor === undefined ? page.actions : [...actions, ...page.actions];
        cursor = page.cursor;
        draw();
      } catch (error) {
        failed = true;
        if (!ended) show(foot, h("span", {class: "problem"}, error.message));
      } finally {
        loading = false;
      }
    }

    function draw() {
      failed = false;
      table.hidden = actions.length === 0;
      show(rows, actions.map(drawAction));
      older.hidden = cursor === null;
      show(foot,
        actions.length === 0 ? "Nobody has done anything yet." :
          cursor === null    ? `These are all ${actions.length}.` :
                               "");
    }

    // What is done now comes to the top, without what was loaded below.
    async function refresh() {
      const page = await get("actions", {limit: PAGE}).catch(() => null);
      if (ended || !page) return;
      const oldest = page.actions.at(-1)?.at ?? "";
      const below = actions.filter((action) => action.at < oldest);
      if (below.length === 0) cursor = page.cursor;
      const next = [...page.actions, ...below];
      if (!failed && JSON.stringify(next) === JSON.stringify(actions)) return;
      actions = next;
      draw();
    }

    // A sink says something whenever it works; of what was done it says nothing, so it is asked for.
    const again = makeRefresh(refresh, {soonMs: AGAIN_MS});
    const ends = [
      again.end, on("sink", again.soon), on("reload", again.soon), on("gap", again.soon),
      bindMoves(() => rows.children, "action")
    ];
    more();
    return {
      dispose() {
        ended = true;
        for (const end of ends) end();
      },
    };
  },
};

function drawAction(action) {
  return h("tr", {tabindex: "-1"}, h("td", {class: "when"}, timeOf(action.at), " ", agoOf(action.at)),
    h("td", {class: "who"}, action.who ? h("b", {}, action.who) : h("span", {class: "muted"}, "no name"),
      action.peer && h("div", {class: "muted"}, action.peer)),
    h("td", {}, whatOf(action)), h("td", {}, resultOf(action)));
}

function whatOf({action, target, detail: given}) {
  const detail = given ?? {};
  const [kind, name] = splitOnce(target ?? "");
  switch (action) {
    case "pause":
      return [
        "paused ", linkOf(kind, name), pauseEnd(detail.until),
        detail.because ?? detail.reason ? `: ${detail.because ?? detail.reason}` : ""
      ];
    case "resume": return ["resumed ", linkOf(kind, name)];
    case "test": return ["sent a test message to ", linkOf(kind, name)];
    case "reload": return ["reloaded the ", h("a", {href: "#/config"}, "config")];
    case "unmask": return ["looked at the hidden content of ", linkOf(kind, name)];
    case "replay":
      return name ? ["sent again: ", linkOf(kind, name)] : ["sent again all ", kind, ":", filterOf(kind, detail)];
    case "purge": return ["canceled all deliveries:", filterOf(kind, detail)];
    default: return [`${action} `, linkOf(kind, name)];
  }
}

function splitOnce(target) {
  const slash = target.indexOf("/");
  return slash < 0 ? [target, ""] : [target.slice(0, slash), target.slice(slash + 1)];
}

function pauseEnd(until) {
  if (!until) return " until it is resumed";
  return Number.isNaN(Date.parse(until)) ? ` for ${until}` : ` until ${shortText(new Date(until))}`;
}

function linkOf(kind, name) {
  switch (kind) {
    case "sinks": return h("a", {href: href("/sinks", {}, {name})}, name);
    case "events": return ["the event ", h("a", {href: href("/event/:id", {id: name}), class: "mono"}, name)];
    case "deliveries": return ["the delivery ", h("a", {href: href("/delivery/:id", {id: name}), class: "mono"}, name)];
    default: return name ? `${kind} ${name}` : kind;
  }
}

function filterOf(kind, {dry_run: _, all: __, search, ...detail}) {
  // Null for who may not search in what calls say.
  if (search === null || detail.q === null) return " of a search that is hidden here";
  if (search) return [" ", h("a", {href: href("/live", {}, {search})}, search)];
  const filter = Object.fromEntries(
    Object.entries(detail).map(([key, value]) => [key, Array.isArray(value) ? value.join(",") : String(value)]));
  // "2h" means another time now.
  const isFixed = [filter.since, filter.until].every((time) => !time || !Number.isNaN(Date.parse(time)));
  return [
    " ", filterText(filter),
    kind === "deliveries" && isFixed && [" · ", h("a", {href: href("/deliveries", {}, filter)}, "show them")]
  ];
}

function resultOf({http_status: code, result: given}) {
  const result = given ?? {};
  if (code >= 400)
    return [
      stateWord("bad", `refused ${code}`), h("div", {}, result.detail ?? problemsOf(result) ?? result.error ?? "")
    ];
  if (result.works === false) return [stateWord("bad", "does not work"), h("div", {}, result.because ?? "")];
  if (result.outcome && result.outcome !== "delivered")
    return [stateWord("bad", "not accepted"), h("div", {}, result.reason ?? "")];
  if (typeof result.changed === "number")
    return [
      stateWord("ok", "done"),
      `: ${result.by_sink ? plural(result.changed, "event") : plural(result.changed, "delivery", "deliveries")}`
    ];
  if (typeof result.generation === "number") return [stateWord("ok", "done"), `: generation ${result.generation}`];
  return [stateWord("ok", "done"), result.works === true ? ": works" : ""];
}

function problemsOf({problems}) {
  return problems?.length > 0 ? plural(problems.length, "problem") : null;
}
