// Try: what would become of a payload, at any time, while it is typed. Nothing is stored or sent. The payload is kept
// in this tab only, not in the address: it may be what a caller said.

import {at as pathOf, get, post} from "../api.js";
import {askSaveCase} from "../case_dialog.js";
import {h} from "../dom.js";
import {bodiesMode, hidesBody, maskParams, setShown, UNMASK_NOTE, unmaskEvent} from "../mask.js";
import {needsChange} from "../parts.js";
import {setQuery} from "../router.js";
import {on} from "../stream.js";
import {makeTryForm, parseHeaders} from "../try_form.js";
import {makeTryResult} from "../try_result.js";

const DELAY_MS = 300;
const HINT =
  "Paste a payload, or use the latest event of a source: here stands what would become of it. Nothing is sent.";

// `event`: the id of the stored event that it comes from, `receivedAt` when that came; `isHidden`: its body may not be
// shown (yet); `isUnmasked`: it is shown although the router withholds it.
const draft = {
  source: "",
  body: "",
  headers: "",
  event: "",
  receivedAt: null,
  isEdited: false,
  isHidden: false,
  isUnmasked: false
};

export default {
  name: "Try",
  path: "/try",
  nav: 6,
  title: () => "Try",
  render(container, {query}) {
    let at = query.at ?? null;
    let tried = null;  // what the shown answer is about, with it
    let turn = 0;      // counts what is typed and loaded: what is loaded does not replace what was typed since
    let request = null;
    let timer = 0;
    let ended = false;
    const save =
      h("button", {type: "button", class: "primary", onclick: () => askSaveCase(tried)}, "Save as a test case…");
    const result = makeTryResult(h("div", {class: "buttons"}, save));
    const form = makeTryForm(draft,
      {changed: later, chooseAt: (date) => setQuery({at: date?.toISOString() ?? null}, {replace: true}), example});
    container.append(h("h1", {}, "Try a payload"), h("div", {class: "try"}, form.element, result.element));

    function later() {
      ++turn;
      save.disabled = true;
      clearTimeout(timer);
      timer = setTimeout(explain, DELAY_MS);
    }

    const isStored = () => draft.event !== "" && !draft.isEdited;

    function bodyToAsk() {
      const body = {messages: !draft.isHidden};
      if (at) Object.assign(body, {at, now: true});
      if (isStored() && !draft.isUnmasked) return {...body, event: draft.event};
      const {headers, problem} = parseHeaders(draft.headers);
      if (problem) throw new Error(problem);
      // Of an event that is sent along the router says everything.
      if (isStored() && !at && draft.receivedAt) body.at = draft.receivedAt;
      return {...body, source: draft.source, body: draft.body, headers};
    }

    // Only the last question's answer counts.
    async function explain() {
      clearTimeout(timer);
      request?.abort();
      if (ended || !draft.body.trim() && !isStored()) {
        form.editor.mark(null);
        return result.hint(HINT);
      }
      const mine = request = new AbortController();
      result.wait();
      save.disabled = true;
      const {source, body, headers} = draft;
      const asked = {source, body, headers, at};
      try {
        const path = isStored() && maskParams().mask ? "explain?mask=true" : "explain";
        const answer = await post(path, bodyToAsk(), {signal: mine.signal, exact: true});
        if (mine !== request) return;
        tried = {...asked, answer};
        save.disabled = false;
        save.hidden = !body.trim();
        form.editor.mark(null);
        result.show(answer, {isHidden: draft.isHidden, note: draft.isHidden && hiddenNote()});
      } catch (error) {
        if (mine !== request || error.name === "AbortError") return;
        const {line, column} = error.body ?? {};
        form.editor.mark(line ? {line, column: column ?? 1} : null);
        result.fail(error, form.editor.goTo);
      }
    }

    function hiddenNote() {
      if (bodiesMode() === "off")
        return h("p", {class: "note plain"},
          "The config hides what it says (inspector.bodies: off), so its fields and messages are not shown.");
      return h("p", {class: "note plain"}, "What it says is hidden, so its fields and messages are not shown. ",
        bodiesMode() === "full" ? h("button", {type: "button", onclick: () => setShown(true)}, "Show") : [
          h("button", {type: "button", ...needsChange(), onclick: () => load(draft.event, true)},
            "Show for this event"),
          UNMASK_NOTE
        ]);
    }

    async function load(id, isUnmasked = false) {
      const mine = ++turn;
      try {
        const event = await (isUnmasked ? unmaskEvent(id) : get(pathOf("events", id), maskParams()));
        if (!ended && mine === turn) take(event, isUnmasked);
      } catch (error) {
        if (!ended && mine === turn) result.fail(error, () => {});
      }
    }

    function take(event, isUnmasked) {
      Object.assign(draft, {
        event: event.id,
        source: event.source,
        body: event.raw ?? "",
        receivedAt: event.received_at,
        isEdited: false,
        isHidden: hidesBody(event),
        isUnmasked,
        headers: (event.headers ?? []).map(({name, value}) => `${name}: ${value}`).join("\n"),
      });
      form.fill();
      explain();
    }

    async function example() {
      const mine = ++turn;
      try {
        const {events} = await get("events", {source: draft.source, limit: 1});
        if (ended || mine !== turn) return;
        if (events.length === 0) return result.hint(`No event of ${draft.source} is stored yet.`);
        if (events[0].id === query.event) return load(events[0].id);
        setQuery({event: events[0].id}, {replace: true});
      } catch (error) {
        result.fail(error, () => {});
      }
    }

    async function loadSources() {
      const {sources} = await get("sources").catch(() => ({sources: []}));
      if (ended) return;
      const names = sources.map((source) => source.name);
      if (!names.includes(draft.source) && names.length > 0) draft.source = names[0];
      form.setSources(names);
      explain();
    }

    if (query.source) draft.source = query.source;
    form.fill();
    form.setAt(at);
    const isToHide = isStored() && maskParams().mask;
    const stored = query.event || isToHide && draft.event;
    if (stored && (stored !== draft.event || draft.isHidden || isToHide)) load(stored);
    loadSources();
    // Where a finger points, the focus would cover half of the screen with a keyboard.
    if (!matchMedia("(pointer: coarse)").matches) form.editor.input.focus({preventScroll: true});
    const ends = [on("reload", explain)];
    return {
      update({query: next}) {
        const isNew = next.event && next.event !== query.event;
        query = next;
        at = next.at ?? null;
        form.setAt(at);
        if (isNew)
          load(next.event);
        else
          explain();
        return true;
      },
      dispose() {
        ended = true;
        clearTimeout(timer);
        request?.abort();
        for (const end of ends) end();
      },
    };
  },
};
