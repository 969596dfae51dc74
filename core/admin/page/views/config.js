// Config: what came of the last reload, and every value that runs, with the place it comes from.

import {get, post} from "../api.js";
import {openDialog, say} from "../dialog.js";
import {h, show} from "../dom.js";
import {fact, fillField, filterField, makeTable} from "../parts.js";
import {href, setQuery} from "../router.js";
import {drawRouters} from "../routers.js";
import {may, onStatus, refreshStatus, status} from "../status.js";
import {on} from "../stream.js";
import {agoOf, countText, timeOf} from "../time.js";
import {plural, stateWord} from "../words.js";

export default {
  name: "Config",
  path: "/config",
  nav: 7,
  title: () => "Config",
  render(container, {query}) {
    let {q = "", set = ""} = query;
    let config = null;
    let ended = false;
    const reload = h("button",
      {type: "button", class: "primary", hidden: true, onclick: () => askReload(config).then((done) => done && load())},
      "Reload…");
    const state = h("div", {class: "reload-state"}, h("p", {class: "muted"}, "Loading…"));
    const routers = h("div", {});
    const filter = filterField(q, "Filter values", "Filter: rate_limit, ops, default");
    const only = h("input", {
      type: "checkbox",
      checked: set === "1",
      onchange: () => setQuery({set: only.checked ? "1" : null}, {replace: true})
    });
    const count = h("p", {class: "muted", role: "status"});
    const rows = h("tbody", {});
    const table = makeTable("values", ["Key", "Value", "From"], rows);
    container.append(h("div", {class: "bar"}, h("h1", {}, "Config"), h("div", {class: "tools"}, reload)), state,
      routers,
      h("div", {class: "bar"}, h("h2", {}, "Values that run"),
        h("div", {class: "tools"}, filter, h("label", {class: "check"}, only, "without defaults"))),
      count, table);

    async function load() {
      try {
        const [next, cluster] =
          await Promise.all([get("config", {}, {exact: true}), get("cluster").catch(() => ({routers: []}))]);
        if (ended) return;
        config = next;
        show(routers, drawRouters(cluster.routers));
        drawState();
        drawValues();
      } catch (error) {
        if (!ended) show(state, h("p", {class: "problem"}, error.message));
      }
    }

    function drawState() {
      reload.hidden = !may("change");
      if (config === null) return;
      show(state, drawReload(config),
        h("dl", {class: "facts"},
          fact("In use", `generation ${config.generation}, since `, timeOf(config.applied_at), " (",
            agoOf(config.applied_at), ")"),
          fact("Files", (config.files ?? [config.file]).map((file) => h("div", {class: "mono"}, file)))));
      const restart = status()?.need_restart ?? [];
      if (restart.length === 0) return;
      state.append(h("p", {class: "note"}, h("b", {}, "These keys need a restart"),
        " before their new values count: ", h("span", {class: "mono"}, restart.join(", "))));
    }

    function drawValues() {
      if (config === null) return;
      const wanted = q.trim().toLowerCase();
      const shown = config.values.filter(
        (value) => (!set || value.from !== "default") && textOf(value).toLowerCase().includes(wanted));
      show(count, `${countText(shown.length)} of ${plural(config.values.length, "value")}.`);
      show(rows,
        shown.map(
          (value) => h("tr", {}, h("th", {scope: "row", class: "mono"}, value.path), h("td", {}, drawValue(value)),
            h("td", {class: value.from === "default" ? "muted" : "mono"}, value.from))));
    }

    const ends = [on("reload", load), on("gap", load), onStatus(drawState)];
    load();
    return {
      update({query: next}) {
        ({q = "", set = ""} = next);
        fillField(filter, q);
        only.checked = set === "1";
        drawValues();
        return true;
      },
      dispose() {
        ended = true;
        for (const end of ends) end();
      },
    };
  },
};

function textOf({path, value, from, source}) {
  return [path, plainText(value), from, source].join(" ");
}

function plainText(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "object" && "exact" in value) return value.exact;
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function drawValue({value, secret, source}) {
  if (secret) return h("span", {}, "a secret, set by ", h("b", {}, source ?? "the config file"));
  if (value === null) return h("span", {class: "muted"}, "not set");
  if (value === "") return h("span", {class: "muted"}, "empty");
  return [h("span", {class: "mono"}, plainText(value)), source && h("span", {class: "muted"}, ` (${source})`)];
}

function drawReload({last_reload: last}) {
  if (!last) return h("p", {}, "Not reloaded since the start.");
  const by = [" ", agoOf(last.at), " (", timeOf(last.at), ")", last.by && [" by ", h("b", {}, last.by)]];
  return h("div", {class: last.ok ? "" : "reload-failed"},
    h("p", {},
      last.ok ? [stateWord("ok", "The last reload was applied"), by, "."] :
                [
                  stateWord("bad", "The last reload was not applied"), by, ": ",
                  plural(countErrors(last.problems), "problem"), ". The config from before still runs."
                ]),
    drawProblems(last.problems));
}

function countErrors(problems) {
  return problems.filter((problem) => problem.severity === "error").length;
}

function drawProblems(problems) {
  const place = ({file, line, column}) => line > 0 ? `${file}:${line}:${column}` : file;
  return problems?.length > 0 &&
    h("ul", {class: "config-problems"},
      problems.map((problem) => h("li", {}, problem.file && h("code", {}, place(problem)), " ",
                     stateWord(problem.severity === "error" ? "bad" : "wait", problem.severity), ": ", problem.message,
                     problem.hint && h("div", {}, "→ ", problem.hint))));
}

async function askReload(config) {
  const files = config?.files ?? [];
  let failed = null;
  const done = await openDialog({
    title: "Reload the config",
    confirm: "Reload",
    content: h("div", {},
      h("p", {},
        files.length > 0 ? `${plural(files.length, "file is", "files are")} read again and checked as a whole:` :
                           "The config is read again and checked as a whole."),
      files.length > 0 && h("ul", {class: "mono"}, files.map((file) => h("li", {}, file))),
      h("p", {},
        "If anything in it is wrong, nothing changes. Events go on coming in, and nothing that waits is lost.")),
    run: () => post("reload").catch((error) => {
      if (error.status !== 422) throw error;
      return failed = error.body;
    }),
  });
  if (!done) return undefined;
  refreshStatus();
  if (failed) {
    const count = plural(countErrors(failed.problems ?? []), "problem");
    await openDialog({
      title: "Nothing was changed",
      cancel: "Close",
      content:
        h("div", {}, h("p", {}, `${count} in the config. What ran before still runs.`), drawProblems(failed.problems))
    });
  } else if (drawLeft(done)) {
    await openDialog({title: `Generation ${done.generation} is in use`, cancel: "Close", content: drawLeft(done)});
  } else {
    say(`Generation ${done.generation} is in use.`);
  }
  return done;
}

// What a reload that was applied has to say; null if it has nothing to.
function drawLeft({need_restart: restart = [], kept_variables: kept = [], orphaned = [], problems = []}) {
  if (restart.length + kept.length + orphaned.length + problems.length === 0) return null;
  return h("div", {},
    restart.length > 0 &&
      h("p", {}, "These keys need a restart before they count: ", h("span", {class: "mono"}, restart.join(", ")), "."),
    kept.length > 0 &&
      h("p", {}, "These variables have their values from the start of the process: ",
        h("span", {class: "mono"}, kept.join(", ")), "."),
    orphaned.map(({sink, pending}) => h("p", {}, `${plural(pending, "delivery waits", "deliveries wait")} for `,
                   h("a", {href: href("/deliveries", {}, {sink, state: "pending,held"})}, sink),
                   ", which the config no longer has.")),
    drawProblems(problems));
}
