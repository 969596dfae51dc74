// Sources: where each platform posts to, how it is checked, when it was last heard, and what was refused and why.

import {get} from "../api.js";
import {copy} from "../dialog.js";
import {h, show} from "../dom.js";
import {bindMoves} from "../keys.js";
import {fact, makeTable} from "../parts.js";
import {makeRefresh} from "../refresh.js";
import {href} from "../router.js";
import {quoted} from "../search_text.js";
import {status} from "../status.js";
import {on} from "../stream.js";
import {agoOf, countText, durationText, timeOf} from "../time.js";
import {plural, stateWord} from "../words.js";

const EVERY_MS = 30000;
const LATEST = 200;  // refused requests that are looked through for senders
const SHOWN = 5;

export default {
  name: "Sources",
  path: "/sources",
  nav: 5,
  title: (params, query) => query.name ? `Source ${query.name}` : "Sources",
  render(container, {query}) {
    let name = query.name ?? "";
    let answer = null;
    let refused = [];
    let base = null;
    let failed = false;
    let ended = false;
    const summary = h("p", {class: "muted", role: "status"}, "Loading…");
    const cards = h("div", {});
    container.append(h("h1", {}, "Sources"), summary, cards);

    async function load() {
      try {
        const [next, latest] = await Promise.all([get("sources"), get("refused", {limit: LATEST})]);
        base ??= await publicUrl();
        const isSame = JSON.stringify([next, latest.refused]) === JSON.stringify([answer, refused]);
        if (ended || isSame && !failed) return;
        failed = false;
        const isFirst = answer === null;
        answer = next;
        refused = latest.refused;
        draw();
        if (isFirst) reveal();
      } catch (error) {
        failed = true;
        if (!ended) show(summary, h("span", {class: "problem"}, error.message));
      }
    }
    const refresh = makeRefresh(load, {soonMs: 1000, everyMs: EVERY_MS});

    function draw() {
      if (answer === null) return;
      const {sources} = answer;
      const total = sources.reduce((sum, source) => sum + source.refused_24h, 0);
      show(summary,
        sources.length === 0 ?
          "The config has no source." :
          `${plural(sources.length, "source")}; ${plural(total, "request was", "requests were")} refused in 24 h.`);
      const strange = refused.filter((one) => !sources.some((source) => source.name === one.source));
      show(cards, strange.length > 0 && drawStrange(strange),
        sources.map((source) => drawSource(
                      source, refused.filter((one) => one.source === source.name), base, source.name === name)));
    }

    function reveal() {
      const card = [...cards.children].find((one) => one.dataset.name === name);
      card?.scrollIntoView({block: "start"});
      card?.focus({preventScroll: true});
    }

    const ends = [
      refresh.end, on("refused", refresh.soon), on("gap", refresh.soon),
      on("reload",
        () => {
          base = null;
          refresh.soon();
        }),
      bindMoves(() => cards.querySelectorAll(".source-card"), "source")
    ];
    refresh.now();
    return {
      update({query: next}) {
        name = next.name ?? "";
        draw();
        reveal();
        return true;
      },
      dispose() {
        ended = true;
        for (const end of ends) end();
      },
    };
  },
};

// {url, isKnown}: what senders call, without the path.
async function publicUrl() {
  try {
    const {values} = await get("config");
    const url = values.find(({path}) => path === "server.public_url")?.value;
    if (url) return {url: String(url).replace(/\/+$/, ""), isKnown: true};
  } catch {
    // The address that the router listens on is said instead.
  }
  return {
    url: `http://${(status()?.ingress ?? "127.0.0.1:8000").replace(/^(0\.0\.0\.0|\[::\]|\*)/, location.hostname)}`,
    isKnown: false
  };
}

function drawSource(source, latest, base, isMarked) {
  const id = `source-${source.name}`;
  const url = base.url + source.path;
  return h("section", {
    class: `card source-card ${isMarked ? "marked" : ""}`,
    "aria-labelledby": id,
    "data-name": source.name,
    tabindex: "-1"
  },
    h("div", {class: "card-head"}, h("h2", {id}, source.name),
      h("span", {class: "muted"}, source.title === source.name ? source.type : source.title ?? source.type)),
    h("dl", {class: "facts"},
      fact("Posts to", h("code", {}, url), " ",
        h("button", {
          type: "button",
          class: "quiet",
          "aria-label": `Copy the address of ${source.name}`,
          onclick: () => copy(url, "The address")
        },
          "Copy"),
        !base.isKnown &&
          h("div", {class: "muted"},
            "As this machine sees it. With server.public_url in the config, what senders call stands here.")),
      fact("Last event", lastOf(source)),
      fact("In 24 h",
        h("a", {href: href("/live", {}, {search: `source:${quoted(source.name)}`})},
          plural(source.events_24h, "event"))),
      fact("Checked by", checkOf(source)), source.rate_limit && fact("Rate limit", rateOf(source.rate_limit))),
    drawRefused(source, latest),
    h("div", {class: "buttons"},
      h("a", {class: "button", href: href("/try", {}, {source: source.name})}, "Try a payload")));
}

function lastOf({last_event_at: last, events_24h: events}) {
  if (!last) return stateWord("wait", "nothing has come in yet");
  const silent = (Date.now() - Date.parse(last)) / 1000;
  const when = [" (", timeOf(last), ")"];
  if (events === 0) return [stateWord("wait", `silent for ${durationText(silent)}`), when];
  // Much longer than usual, and longer than the pause that any line of calls makes.
  const usual = 86400 / events;
  if (silent < Math.max(3600, 10 * usual)) return [agoOf(last), when];
  return [
    stateWord("wait", `silent for ${durationText(silent)}`),
    `; in the last 24 h an event came every ${durationText(usual)}`, when
  ];
}

const secretState = (isSet) =>
  isSet ? stateWord("ok", "secret set") : stateWord("bad", "secret not set, so everything is refused");

function checkOf({auth, verify, allow_ips: ips}) {
  const where = {header: `the header ${auth.name}`,
    bearer: "a bearer token",
    query: `the query parameter ${auth.name}`}[auth.kind] ??
    `${auth.kind}${auth.name ? ` (${auth.name})` : ""}`;
  const from = (ips ?? []).length > 0 && h("div", {}, `Only from ${ips.join(", ")}.`);
  const signed = verify && h("div", {}, `a signature (${[verify.scheme, ...verify.headers].join(", ")}): `,
    secretState(verify.secret_set));
  if (auth.kind === "none" && signed) return [signed, from];
  if (auth.kind === "none")
    return [from ? h("span", {}, "no secret") : stateWord("wait", "nothing: whoever knows the address can post"), from];
  return [
    `${where}: `, secretState(auth.secret_set), signed, from
  ];
}

function rateOf({max, per, burst}) {
  return `${countText(max)} in ${durationText(per)}${burst ? `, bursts of ${countText(burst)}` : ""}`;
}

function drawRefused(source, latest) {
  if (source.refused.length === 0) return h("p", {class: "muted"}, "Nothing was refused in 24 h.");
  const peersOf = ({error, detail}) => [...new Set(
    latest.filter((one) => one.error === error && one.detail === detail).map((one) => one.peer ?? "unknown"))];
  return h("div", {class: "refused-part"},
    h("h3", {}, stateWord("bad", `${plural(source.refused_24h, "request")} refused in 24 h`)),
    makeTable("refused-reasons", ["Times#", "Why", "Sender", "Last"],
      h("tbody", {},
        source.refused.map(
          (one) => h("tr", {}, h("td", {class: "number", "data-label": "Times"}, countText(one.count)),
            h("td", {}, one.detail ?? one.error), h("td", {"data-label": "Sender"}, sendersOf(peersOf(one))),
            h("td", {class: "when", "data-label": "Last"}, agoOf(one.last_at)))))),
    h("p", {},
      h("a", {href: href("/live", {}, {search: `is:refused source:${quoted(source.name)}`})}, "Each refused request")));
}

function sendersOf(peers) {
  if (peers.length === 0) return h("span", {class: "muted"}, "not among the latest");
  return peers.slice(0, SHOWN).join(", ") + (peers.length > SHOWN ? ` and ${peers.length - SHOWN} more` : "");
}

// What came to an address of no source: a wrong path in the platform's settings.
function drawStrange(refused) {
  return h("section", {class: "card", "aria-labelledby": "strange"},
    h("h2", {id: "strange"}, "Posted to an address that no source has"),
    h("p", {}, "Compare the address in the platform's settings with those below."),
    makeTable("refused-reasons", ["Address", "Why", "Sender", "Last"],
      h("tbody", {},
        refused.slice(0, SHOWN).map(
          (one) => h("tr", {}, h("td", {}, h("code", {}, one.path ?? "unknown")), h("td", {}, one.detail ?? one.error),
            h("td", {"data-label": "Sender"}, one.peer ?? "unknown"),
            h("td", {class: "when", "data-label": "Last"}, agoOf(one.at)))))));
}
