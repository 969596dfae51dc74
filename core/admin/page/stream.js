// One stream of server-sent events for the whole page. A hidden tab closes it, as a browser allows six connections a
// host; when the tab is seen again it goes on from where it was.

import {get, refusalOf} from "./api.js";

const LISTS = ["event", "delivery", "refused", "sink", "reload"];
const KINDS = [...LISTS, "gap"];
const PAUSES = [1000, 2000, 5000, 10000, 15000];

const listeners = new Map();
let source = null;
let cursor = null;
let failures = 0;
let timer = 0;
let state = {kind: "off", text: "not connected"};

/// `kind`: event, delivery, refused, sink, reload; "gap" ({kinds, missed}: read these lists again); "state" (of the
/// connection, see below). Returns what ends it.
export function on(kind, callback) {
  if (!listeners.has(kind)) listeners.set(kind, new Set());
  listeners.get(kind).add(callback);
  return () => listeners.get(kind).delete(callback);
}

function emit(kind, data) {
  for (const callback of [...(listeners.get(kind) ?? [])]) callback(data);
}

/// {kind: "live"|"connecting"|"broken"|"refused"|"off", text}
export function streamState() {
  return state;
}

function become(kind, text) {
  if (state.kind === kind && state.text === text) return;
  state = {kind, text};
  emit("state", state);
}

export function connect() {
  clearTimeout(timer);
  source?.close();
  source = null;
  if (document.hidden) return become("off", "not connected while this tab is hidden");
  if (state.kind !== "broken" && state.kind !== "refused") become("connecting", "connecting");
  const mine = source = new EventSource("api/v1/stream" + (cursor ? "?cursor=" + encodeURIComponent(cursor) : ""));
  let isOpen = false;
  mine.addEventListener("hello", (message) => {
    isOpen = true;
    failures = 0;
    const isFirst = cursor === null;
    keep(message, JSON.parse(message.data).cursor);
    become("live", "live");
    // What came between the reading of the lists and now is in neither.
    if (isFirst) emit("gap", {kinds: LISTS, missed: null});
  });
  for (const kind of KINDS) {
    mine.addEventListener(kind, (message) => {
      keep(message, null);
      emit(kind, JSON.parse(message.data));
    });
  }
  mine.addEventListener("error", () => {
    if (source === mine) retry(mine, isOpen);
  });
}

function keep(message, fallback) {
  if (message.lastEventId)
    cursor = message.lastEventId;
  else if (fallback && !cursor)
    cursor = String(fallback);
}

// The browser does not say why a stream ended: a request that can be read does, and asks for the token if it must.
async function retry(mine, wasOpen) {
  mine.close();
  source = null;
  const pause = PAUSES[Math.min(failures++, PAUSES.length - 1)];
  become("broken", `the connection broke; trying again in ${pause / 1000} s`);
  if (!wasOpen) sayWhyRefused(pause);
  timer = setTimeout(async () => {
    try {
      await get("status");
    } catch (error) {
      if (error.status === 401) return become("off", "sign in first");
      if (error.status === 0 && !document.hidden) return retry(mine, true);
    }
    connect();
  }, pause);
}

async function sayWhyRefused(pause) {
  const refusal = await refusalOf("stream");
  if (refusal?.status !== 503 || source !== null || state.kind !== "broken") return;
  become("refused", `${refusal.message}; trying again in ${pause / 1000} s`);
}

export function disconnect() {
  clearTimeout(timer);
  source?.close();
  source = null;
  become("off", "not connected");
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) return connect();
  disconnect();
  become("off", "not connected while this tab is hidden");
});
addEventListener("pagehide", disconnect);
addEventListener("pageshow", (event) => {
  if (event.persisted) connect();
});
