"""Made-up calls, deliveries, sinks and rules for mock_server.py."""
import datetime
import itertools
import json
import os
import random

HERE = os.path.dirname(__file__)
KEYS = {"agent": "the agent's id or name", "status": "how the call ended, or a group: ended, unsuccessful", "source": "which platform sent it",
        "call": "the call's id", "direction": "inbound, outbound or web", "duration": "how long the call took: >2m, 30s..5m",
        "cost": "what it cost: >0.50", "sink": "a sink that it was sent to", "rule": "a rule that wanted it",
        "state": "of a delivery: pending, held, delivered, dead, canceled", "is": "unmatched, skipped, revised, replayed, refused",
        "after": "since a time: 2h, 2026-03-04", "since": "the same as after", "before": "up to a time", "until": "the same as before",
        "text": "words anywhere in the payload", "from": "the caller's number", "to": "the number called", "data": "an extracted value"}
random.seed(7)
NOW = datetime.datetime.now(datetime.timezone.utc)
AGENTS = ["billing-eu", "billing-us", "sales-in", "support", None]
LONG_CALL, SHORT_CALL = "long-call-20000", "3f0c7c4e-5a57-4f0f-9a53-0f6d3b1f7c21"
HOSTILE = '<img src=x onerror="alert(1)"><script>alert("refund")</script> & <b>bold</b> \u202egnp.exe'
ids = itertools.count(1)


def at(seconds_ago):
    return (NOW - datetime.timedelta(seconds=seconds_ago)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def outcome(sink, rule, state="delivered", **more):
    return {"id": f"d-{next(ids)}", "sink": sink, "rule": rule, "state": state, "held_by": None, "because": None, "attempts": 1,
            "latency_ms": random.choice([64, 84, 112, 230, 1840]), "is_replay": False, "code": None, "reason": None, **more}


def outcomes_of(status, agent):
    if status in ("ringing", "queued", "in-progress"):
        return []
    misconfigured = dict(state="held", held_by="misconfigured", because="Slack answered 404 no_service", latency_ms=None)
    if status in ("failed", "no-answer", "busy"):
        ops = random.choice([{}, {}, misconfigured, {"state": "dead", "attempts": 7, "code": "http_503", "reason": "Slack answered HTTP 503"}])
        return [outcome("ops", "failed-billing", **ops), outcome("oncall", "failed-billing")][: 1 + (agent == "billing-eu")]
    if agent == "sales-in":
        return [outcome("sales", "long-calls", state="held", held_by="paused", because="paused until 18:00: carrier maintenance", attempts=0, latency_ms=None),
                outcome("crm", "leads", state="pending", attempts=2, code="http_429", reason="the destination asked to wait (429)")]
    return [outcome("ops", "all-ended"), outcome("sales", "long-calls")][: random.choice([1, 2])]


def event(number, ago, status=None, agent=None, call=None, source=None, **more):
    status = status or random.choice(["completed"] * 5 + ["failed", "no-answer", "busy", "ringing", "in-progress"])
    agent = agent or random.choice(AGENTS)
    outcomes = more.pop("outcomes", None)
    outcomes = outcomes_of(status, agent) if outcomes is None else outcomes
    return {"id": f"01KB{number:022X}", "received_at": at(ago), "source": source or random.choice(["bolna", "bolna", "retell", "twilio"]),
            "call_id": call or f"call-{number // 3:05d}-4f0f-9a53", "agent": agent, "status": status, "note": None, "deliveries": len(outcomes),
            "duration": None if status in ("ringing", "queued") else round(random.expovariate(1 / 70), 1), "direction": "outbound",
            "stage": "final", "revised": random.random() < 0.03, "outcomes": outcomes, **more}


EVENTS = [event(n, ago=90000 - n * 45 - 20) for n in range(1, 1990)]
EVENTS += [event(2000, 60, "completed", "billing-eu", SHORT_CALL, "bolna", outcomes=[outcome("ops", "all-ended"), outcome("crm", "leads", state="dead", attempts=3, code="http_503", reason="HTTP 503 Service Unavailable")]),
           event(2001, 45, "completed", "support", "hostile-<script>alert(1)</script>", "bolna", outcomes=[outcome("ops", "all-ended")], note=HOSTILE),
           event(2002, 30, "ringing", "billing-us", SHORT_CALL, "bolna"), event(2003, 20, "call-disconnected", "billing-eu", SHORT_CALL, "bolna", revised=True),
           {**event(2004, 12, "ringing", "support"), "status": None, "agent": None, "call_id": None, "note": "a test of the hook", "duration": None},
           event(2005, 8, "failed", "billing-eu", SHORT_CALL, "bolna")]
BY_ID = {e["id"]: e for e in EVENTS}
LONG = [{**event(900000 + n, 7200 - n * 0.3, ["in-progress", "completed"][n == 19999], "support", LONG_CALL, "retell"), "id": f"01KC{n:022X}"} for n in range(20000)]
REFUSED = [{"number": 1000 - n, "at": at(100 + n * 700), "source": s, "peer": "13.203.39.153", "path": f"/{s}/webhook", "http_status": c, "error": e, "detail": d}
           for n, (s, c, e, d) in enumerate([("bolna", 401, "unauthorized", "the header X-Webhook-Secret is missing"), ("retell", 401, "unauthorized", "the signature is too old: 12 m"),
                                             ("bolna", 400, "invalid_json", "line 4, column 18: a comma or } is expected"), ("twilio", 413, "too_large", "the body is larger than 1 MiB")] * 40)]


def newest_first():
    return sorted(EVENTS, key=lambda e: e["received_at"], reverse=True)


def of_call(call_id):
    return LONG if call_id == LONG_CALL else sorted((e for e in EVENTS if e["call_id"] == call_id), key=lambda e: e["received_at"])


def fits(e, search, query):
    if query.get("call_id") and e["call_id"] != query["call_id"]:
        return False
    for term in search.split():
        key, _, value = term.partition(":")
        values = value.split(",")
        if not value:
            ok = key.strip('"').lower() in json.dumps(e).lower()
        elif key == "state":
            ok = any(o["state"] in values for o in e["outcomes"])
        elif key in ("sink", "rule"):
            ok = any(o[key] in values for o in e["outcomes"])
        elif key == "is":
            ok = not e["outcomes"] if value == "unmatched" else e["revised"] if value == "revised" else False
        elif key == "status" and value == "unsuccessful":
            ok = e["status"] in ("failed", "no-answer", "busy")
        else:
            ok = e.get({"call": "call_id"}.get(key, key)) in values
        if not ok:
            return False
    return True


def suggest(search, offset):
    before = search[:offset]
    start = before.rfind(" ") + 1
    word = before[start:]
    key, colon, value = word.lstrip("-").partition(":")
    if not colon:
        found = [{"text": k + ":", "kind": "key", "label": k, "about": about, "events": None} for k, about in KEYS.items() if k.startswith(key)]
        return {"from": start, "to": offset, "suggestions": found}
    values = {"agent": [a for a in AGENTS if a], "status": ["completed", "failed", "no-answer", "busy", "unsuccessful"], "source": ["bolna", "retell", "twilio"],
              "sink": ["ops", "oncall", "sales", "crm"], "state": ["pending", "held", "delivered", "dead", "canceled"], "is": ["unmatched", "skipped", "revised", "replayed", "refused"]}
    found = [{"text": f"{key}:{v}", "kind": "value", "label": v, "about": None, "events": sum(fits(e, f"{key}:{v}", {}) for e in EVENTS)}
             for v in values.get(key, []) if v.startswith(value)]
    return {"from": start, "to": offset, "suggestions": found}


def raw_of(e):
    with open(os.path.join(HERE, "../../examples/events/completed.json"), encoding="utf-8") as file:
        body = json.load(file)
    body.update(id=e["call_id"], status=e["status"], agent_name=e["agent"], total_cost=3.94, big_number=12345678901234567890123, tiny=0.1 + 0.2)
    if e["note"] == HOSTILE:
        body["transcript"] = f"assistant: {HOSTILE}\nuser: javascript:alert(1) </pre></script>\n"
    if e["status"] == "call-disconnected":
        body["transcript"] = None
    text = json.dumps(body, indent=2, ensure_ascii=False)
    if e["status"] is None:
        text = text[:400].replace('"batch_id": null,', '"batch_id": null') + " …"
    return text


def slack_body(e):
    transcript = "Agent: Hello, this is Maya.\nUser: yes " + (HOSTILE if e["note"] else "")
    escaped = transcript.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    fields = [("Call ID", e["call_id"] or "–"), ("Agent ID", e["agent"] or "–"), ("Duration", "1m 13s"), ("Status", e["status"] or "–")]
    return {"text": f"Bolna call ended: {e['status']}", "blocks": [
        {"type": "header", "text": {"type": "plain_text", "text": f"Bolna call ended: {e['status']}", "emoji": True}},
        {"type": "section", "fields": [{"type": "mrkdwn", "text": f"*{k}:*\n{v.replace('<', '&lt;')}", "verbatim": True} for k, v in fields]},
        {"type": "section", "text": {"type": "mrkdwn", "text": "A _slow_ answer ~but~ *fine* <https://example.com/a?b=1&amp;c=2|recording> <!here> <@U123> :wave: `code`"}},
        {"type": "divider"}, {"type": "section", "text": {"type": "mrkdwn", "text": f"```{escaped}```"}},
        {"type": "actions", "elements": [{"type": "button", "text": {"type": "plain_text", "text": "Acknowledge"}}]},
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "<!date^1772616600^{date_short_pretty} at {time}|2026-03-04 09:30 UTC>"}]}],
        "attachments": [{"color": "#2eb67d", "text": "The caller agreed to *Friday*."}]}


def delivery_of(e, one):
    request = "POST https://hooks.slack.com/services/T0/B0/***\nContent-Type: application/json; charset=utf-8\n\n" + json.dumps(slack_body(e), ensure_ascii=False)
    if one["sink"] == "crm":
        request = "POST https://crm.example.com/calls\nContent-Type: application/json\nAuthorization: ***\n\n" + json.dumps({"call": e["call_id"], "score": 85})
    if one["sink"] == "oncall":
        request = request[:700] + "... (cut)"
    start = datetime.datetime.fromisoformat(e["received_at"].replace("Z", "+00:00"))
    attempts, waited = [], 0
    for n in range(1, (0 if one["state"] == "held" and one["attempts"] == 0 else one["attempts"]) + 1):
        waits = [{"for": "pace", "ms": 340}, {"for": "slot", "ms": 5}] if n == 1 else [{"for": "retry", "ms": 2000 * 5 ** (n - 2)}, {"for": "order", "ms": 40}]
        waited += sum(w["ms"] for w in waits)
        last = n == one["attempts"]
        result = {"delivered": "delivered", "held": "misconfigured"}.get(one["state"], "retry") if last else "retry"
        latency = one["latency_ms"] or 140
        status = {"delivered": 200, "misconfigured": 404}.get(result, 503)
        attempts.append({"number": n, "trigger": "first" if n == 1 else "automatic", "started_at": (start + datetime.timedelta(milliseconds=waited)).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                         "latency_ms": latency, "outcome": result, "may_have_been_delivered": result == "retry" and n == 1, "http_status": status, "code": None if status == 200 else one["code"] or "no_service",
                         "reason": None if status == 200 else one["reason"] or one["because"], "action": "make a new webhook at api.slack.com/apps, put its URL into webhook_url and reload" if status == 404 else None,
                         "remote_id": None, "waits": waits, "connect_ms": 31 if n == 1 else None, "first_byte_ms": int(latency * 0.9), "request": request,
                         "response": f"HTTP {status}\nContent-Type: text/plain\n\n" + ("ok" if status == 200 else "no_service")})
        waited += latency
    return {**one, "event": e["id"], "call_id": e["call_id"], "agent": e["agent"], "status": e["status"], "template": None, "accepted_at": e["received_at"], "replayed_at": None,
            "due": at(-240) if one["state"] in ("pending", "held") else None, "is_fallback": False, "fallback": None, "attempts": attempts}


def routing(e, extra):
    matched = {o["rule"] for o in e["outcomes"]}
    rules = []
    for name, sinks, wanted in [("ignore-tests", [], "tags are absent"), ("failed-billing", ["ops", "oncall"], f'status is "{e["status"]}", wanted failed, no-answer or busy'),
                                ("long-calls", ["sales"], "duration 27.2s is under 2m"), ("leads", ["crm"], "data.General.Score is absent"), ("all-ended", ["ops"], f'status is "{e["status"]}", wanted one of ended')]:
        is_match = name in matched or (extra and name == "long-calls")
        conditions = [{"text": f'agent is "{e["agent"]}"', "holds": True}, {"text": wanted, "holds": is_match}]
        rules.append({"name": name, "matched": is_match, "why": "every condition holds" if is_match else wanted, "conditions": conditions, "sinks": sinks if is_match else [], "merged": [], "stopped": False})
    sent = [{"sink": s, "rule": r["name"]} for r in rules for s in r["sinks"]]
    return {"config": "9f31c2", "as_of": e["received_at"], "rules": rules, "deliveries": sent}


SECRET = ["normalized.transcript", "normalized.summary", "normalized.from", "normalized.to", "normalized.data", "fields", "raw", "revisions", "attempts.request", "attempts.response"]


def detail(event_id, query):
    e = BY_ID.get(event_id) or next((x for x in LONG if x["id"] == event_id), None)
    if e is None:
        raise KeyError(event_id)
    masked = query.get("mask") == "true"
    raw = raw_of(e)
    call = e["status"] is not None
    fields = [{"field": "call_id", "value": e["call_id"], "path": "id"}, {"field": "agent.name", "value": e["agent"], "path": "agent_name"}, {"field": "status", "value": e["status"], "path": "status"},
              {"field": "duration", "value": e["duration"], "path": "telephony_data.duration"}, {"field": "from", "value": "+12025550188", "path": "telephony_data.from_number"},
              {"field": "cost.amount", "value": 0.0394, "path": "total_cost"}, {"field": "data.big_number", "value": 12345678901234567890123, "path": "big_number"},
              {"field": "transcript", "value": [{"role": "agent", "text": "Hello, this is Maya."}, {"role": "user", "text": HOSTILE}], "path": "transcript"}, {"field": "stage", "value": "final", "path": None}]
    full = {**e, "raw": raw, "headers": [{"name": "Content-Type", "value": "application/json"}, {"name": "User-Agent", "value": "bolna-hooks/1.0"}, {"name": "X-Webhook-Secret", "value": "***"}],
            "normalized": {"call_id": e["call_id"]} if call else None, "normalized_because": None if call else "the body is not JSON: line 9, column 3",
            "fields": fields if call else [], "routing": routing(e, False) if call else None, "routing_now": {**routing(e, True), "generation": 7} if call else None,
            "config": {"hash": "9f31c2", "since": at(90000), "is_current": False}, "masked": [],
            "revisions": [{"number": 1, "until": e["received_at"], "raw": raw.replace("27.2", "26.9").replace("Priya", "Prya"), "headers": []}] if e["revised"] else [],
            "deliveries": [delivery_of(e, one) for one in e["outcomes"]]}
    if masked:
        full.update(masked=SECRET, raw=None, revisions=[{**r, "raw": None} for r in full["revisions"]])
        full["fields"] = [{**f, "value": None} if f["field"].split(".")[0] in ("from", "data", "transcript") else f for f in full["fields"]]
        for one in full["deliveries"]:
            one["attempts"] = [{**a, "request": None, "response": None} for a in one["attempts"]]
    return full


def find(delivery_id):
    return next((e, o) for e in EVENTS for o in e["outcomes"] if o["id"] == delivery_id)


def delivery(delivery_id):
    return delivery_of(*find(delivery_id))


def deliveries(query):
    def fits_filter(d, e):
        return all(d[name] in query[key].split(",") for key, name in [("state", "state"), ("sink", "sink"), ("rule", "rule"), ("agent", "agent"), ("call_id", "call_id"), ("event", "event")]
                   if query.get(key)) and query.get("source") in (None, e["source"])
    found = [({**delivery_of(e, o), "attempts": o["attempts"]}, e) for e in newest_first()[:400] for o in e["outcomes"]]
    return [d for d, e in found if fits_filter(d, e)]


def message_of(e, sink, rule):
    if sink == "crm":
        return {"sink": sink, "rule": rule, "plugin": "webhook", "method": "POST", "url": "https://crm.example.com/calls", "headers": {"Content-Type": "application/json"}, "body": '{"call":"c-1","score":85}', "then": []}
    return {"sink": sink, "rule": rule, "plugin": "slack", "method": "POST", "url": "https://hooks.slack.com/services/T0/B0/***", "headers": {"Content-Type": "application/json"}, "body": json.dumps(slack_body(e), ensure_ascii=False), "then": []}


def message(delivery_id):
    e, one = find(delivery_id)
    return {"id": delivery_id, "sink": one["sink"], "rule": one["rule"], "template": None, "as_of": at(0), "message": message_of(e, one["sink"], one["rule"])}


refusals = itertools.count(2000)


def next_messages():
    """What the stream says next: an event with its first deliveries, now and then a refused request."""
    number = 3000 + len(EVENTS)
    new = event(number, 0)
    new["received_at"] = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    EVENTS.append(new)
    BY_ID[new["id"]] = new
    yield "event", {**new, "outcomes": [{**o, "state": "pending", "attempts": 0, "latency_ms": None, "held_by": None, "because": None} for o in new["outcomes"]]}
    for one in new["outcomes"]:
        yield "delivery", {**delivery_of(new, one), "attempts": one["attempts"]}
    if random.random() < 0.2:
        yield "refused", {**REFUSED[0], "number": next(refusals), "at": new["received_at"]}
