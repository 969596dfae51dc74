// Pause, resume and test of a sink: each says first what it will do, and then what came of it.

import {at, get, post} from "./api.js";
import {openDialog, say} from "./dialog.js";
import {h, show} from "./dom.js";
import {scroller} from "./parts.js";
import {pausePresets} from "./presets.js";
import {paceText, sentence} from "./sink_words.js";
import {refreshStatus} from "./status.js";
import {durationText, exactText, msText, shortText} from "./time.js";
import {plural} from "./words.js";

/// Each resolves to what the router answered; undefined if it was given up.
export async function askPause(sink) {
  let until = null;
  const because = h(
    "input", {type: "text", id: "because", maxlength: "500", autocomplete: "off", placeholder: "carrier maintenance"});
  const free = h("input", {type: "datetime-local", id: "until", oninput: () => void (until = null)});
  const choose = (at) => ({target}) => {
    until = {at};
    target.form.requestSubmit();
  };
  const content = h("div", {class: "ask-pause"},
    h("p", {},
      `Nothing is sent to ${sink.sink} meanwhile. ${waitNow(sink)}, and what comes is added behind. Nothing is lost.`),
    h("label",
      {for: "because"
      },
      "Why? It stands on the card and in Actions."),
    because, h("p", {}, "Pause until:"),
    h("div", {class: "buttons presets"}, pausePresets(new Date()).map(({label,
      at}) => h("button", {type: "button", onclick: choose(at), title: at && exactText(at)}, label))),
    h("label", {for: "until"
    }, "Or until another time"), free);
  const opened = openDialog({
    title: `Pause ${sink.sink}`,
    content,
    confirm: "Pause until that time",
    run: () => post(at("sinks", sink.sink, "pause"), pauseBody(until, free.value, because.value.trim())),
  });
  because.focus();
  const done = await opened;
  if (done) {
    say(done.until ? `${sink.sink} is paused until ${shortText(new Date(done.until))}.` :
                     `${sink.sink} is paused until it is resumed.`);
    refreshStatus();
  }
  return done;
}

function pauseBody(chosen, free, because) {
  const body = because ? {because} : {};
  if (chosen === null && free === "") throw new Error("Choose one of the times, or enter another one.");
  const at = chosen === null ? new Date(free) : chosen.at;
  if (at === null) return body;
  if (at.getTime() <= Date.now()) throw new Error("That time is over already.");
  return {...body, until: at.toISOString()};
}

function waitNow(sink) {
  if (sink.pending === 0) return "Nothing waits for it now";
  return `${plural(sink.pending, "delivery waits", "deliveries wait")} now`;
}

async function find(name) {
  const {sinks} = await get("sinks");
  const sink = sinks.find((one) => one.sink === name);
  if (!sink) throw new Error(`The router has no sink ${name} any more.`);
  return sink;
}

/// `name`: the sink's. What waits is asked for anew.
export async function askResume(name) {
  let sink;
  try {
    sink = await find(name);
  } catch (error) {
    return void say(error.message);
  }
  const progress = h("p", {role: "status"});
  const done = await openDialog({
    title: `Resume ${name}`,
    confirm: sink.pending > 0 ? `Send ${plural(sink.pending, "delivery", "deliveries")}` : "Resume",
    content: h("div", {}, h("p", {}, resumeText(sink)), progress),
    run: () => {
      show(progress, sink.pending > 0 ? "Waiting for the first outcome…" : "");
      return post(at("sinks", name, "resume")).finally(() => show(progress));
    },
  });
  if (!done) return undefined;
  refreshStatus();
  if (done.works === false) {
    await openDialog({
      title: `${name} does not work yet`,
      cancel: "Close",
      content: h("div", {}, h("p", {class: "problem"}, done.because ?? "The first delivery was not accepted."),
        h("p", {}, "What waits stays and is tried again by itself."))
    });
  } else {
    say(
      done.works ? `${name} works: the first delivery was accepted.` : `${name} is resumed. No outcome is known yet.`);
  }
  return done;
}

function resumeText(sink) {
  if (sink.pending === 0) return `Nothing waits for ${sink.sink}. What comes from now on is sent at once.`;
  const pace = sink.rate ? `, at most ${paceText(sink.rate)}` : "";
  const takes = sink.rate ? sink.pending * sink.rate.per / sink.rate.max : 0;
  return `${plural(sink.pending, "delivery waits", "deliveries wait")} for ${
           sink.sink}. They are sent now, oldest first${pace}` +
    `${takes > 2 ? `: about ${durationText(takes)}` : ""}.`;
}

export async function askTest(name) {
  const progress = h("p", {role: "status"});
  const done = await openDialog({
    title: `Test ${name}`,
    confirm: "Send 1 message",
    content: h("div", {},
      h("p", {}, `One message that says it is a test goes to ${name} at once. Whoever reads there sees it.`), progress),
    run: () => {
      show(progress, "Waiting for the outcome…");
      return post(at("sinks", name, "test")).finally(() => show(progress));
    },
  });
  if (!done) return undefined;
  refreshStatus();
  const works = done.outcome === "delivered";
  const reason = sentence(done.reason ?? done.code ?? `the outcome is "${done.outcome}"`);
  await openDialog({
    title: works ? `${name} works` : `${name} does not work`,
    cancel: "Close",
    content: h("div", {},
      h("p", {class: works ? "" : "problem"},
        works ? `The message was accepted after ${msText(done.latency_ms)}.` : reason),
      done.action && h("p", {}, h("b", {}, "What to do: "), done.action),
      [["What was sent", done.request], ["What was answered", done.response]].map(([title, text]) => text &&
          h("details", {open: !works}, h("summary", {}, title), h("pre", {class: "raw", ...scroller(title)}, text))))
  });
  return done;
}
