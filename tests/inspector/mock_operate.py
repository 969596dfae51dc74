"""What operators see and do, made up for mock_server.py: sinks, rules, sources, config, actions, Try. It keeps what is changed."""
import datetime
import json
import random

import mock_data as data
from mock_data import at

BODIES = "full"
MAY = "change"
RULE_SINKS = {"failed-billing": ["ops", "oncall"], "long-calls": ["sales"], "leads": ["crm"], "all-ended": ["ops"]}


class Refused(Exception):
    def __init__(self, status, error, detail, **more):
        self.status, self.body = status, {"ok": False, "error": error, "detail": detail, **more}


def publish(kind, item):
    """The server puts its own in place of this: sends to all streams."""


def hour(busy, dead=0, retried=0):
    rng = random.Random(busy + 10 * dead + 100 * retried)
    return {"from": at(3600), "step": 60, "delivered": [rng.randrange(busy + 1) for _ in range(60)], "retried": [int(rng.random() < retried / 60) for _ in range(60)],
            "dead": [1 if 40 <= n < 40 + dead else 0 for n in range(60)]}


def sink(name, plugin, state, because=None, pending=0, busy=4, **more):
    return {"sink": name, "state": state, "because": because, "pending": pending, "in_flight": 0, "oldest": at(1500) if pending else None, "until": None, "places": [],
            "plugin": plugin, "rate": {"max": 1, "per": 1, "burst": 3}, "concurrency": 1, "fallback": None, "since": at(1800) if state != "open" else None, "last_hour": hour(busy), **more}


SINKS = {one["sink"]: one for one in [
    sink("ops", "slack", "misconfigured", "Slack answered 404 no_service: the webhook was removed", 14, fallback="oncall", until=at(-25), last_hour=hour(5, dead=9, retried=20)),
    sink("sales", "slack", "paused", "paused by the operator: carrier maintenance", 3, until=at(-7200), busy=0),
    sink("oncall", "slack", "open", busy=2, places=[{"name": "C0FAILURES", "because": "Slack answered channel_not_found", "waiting": 2, "next_try": at(-90)}]),
    sink("crm", "webhook", "failing", "HTTP 503 from crm.example.com", 2, until=at(-40), rate=None, concurrency=8, last_hour=hour(3, retried=30)),
    sink("archive", "postgres", "open", busy=9, rate=None, concurrency=4)]}


def sinks():
    return {"sinks": list(SINKS.values())}


def one_sink(name):
    if name not in SINKS:
        raise Refused(404, "not_found", f'sink: "{name}" is not known')
    return SINKS[name]


def pause(name, body):
    one = one_sink(name)
    because = body.get("because") or body.get("reason")
    one.update(state="paused", because="paused by the operator" + (f": {because}" if because else ""), until=body.get("until"), since=at(0))
    publish("sink", one)
    return {"ok": True, "sink": name, "paused": True, "until": body.get("until"), "because": because}


def resume(name):
    one = one_sink(name)
    if name == "ops" and one["state"] == "misconfigured":
        return {"ok": True, "sink": name, "works": False, "because": "Slack answered 404 no_service: the webhook was removed"}
    works = True if one["pending"] else None
    one.update(state="open", because=None, until=None, since=None, pending=0, oldest=None)
    publish("sink", one)
    return {"ok": True, "sink": name, "works": works, "because": None}


def test(name):
    one_sink(name)
    request = "POST https://hooks.slack.com/services/T0/B0/***\nContent-Type: application/json\n\n{\"text\":\"This is a test of hookswitch\"}"
    if name == "ops":
        return {"ok": True, "sink": name, "outcome": "misconfigured", "http_status": 404, "code": "no_service", "reason": "Slack answered 404 no_service: the webhook was removed",
                "action": "make a new webhook at api.slack.com/apps, put its URL into webhook_url and reload", "latency_ms": 112, "request": request, "response": "HTTP 404\nContent-Type: text/plain\n\nno_service"}
    return {"ok": True, "sink": name, "outcome": "delivered", "http_status": 200, "code": None, "reason": None, "action": None, "latency_ms": 84, "request": request, "response": "HTTP 200\n\nok"}


FILTERS = {"state", "sink", "rule", "agent", "status", "call_id", "source", "event", "since", "until"}


def bulk(body, states, becomes):
    unknown = set(body) - FILTERS - {"dry_run", "all"}
    if unknown:
        raise Refused(400, "invalid_filter", f'"{unknown.pop()}" is not known here')
    if not set(body) - {"state", "dry_run", "all"} and not body.get("all"):
        raise Refused(400, "invalid_filter", 'say which deliveries are meant (sink, since, …), or "all": true (--all)')
    body = {"state": "dead", **body}
    found = [d for d in data.deliveries({k: v for k, v in body.items() if k in FILTERS}) if d["state"] in states]
    if not body.get("dry_run"):
        for one in found:
            event, outcome = data.find(one["id"])
            outcome.update(becomes)
            publish("delivery", {**data.delivery_of(event, outcome), "attempts": outcome["attempts"]})
    return {"ok": True, "dry_run": bool(body.get("dry_run")), "matched": len(found), "changed": 0 if body.get("dry_run") else len(found), "deliveries": [d["id"] for d in found[:100]]}


def replay_deliveries(body):
    return bulk(body, {"dead", "canceled", "delivered", "fell_back"}, {"state": "delivered", "attempts": 1, "is_replay": True, "code": None, "reason": None, "latency_ms": 90})


def purge(body):
    return bulk(body, {"dead", "pending", "held"}, {"state": "canceled", "reason": "purged by ana"})


def replay_events(body):
    found = [e for e in data.newest_first() if data.fits(e, body.get("search", ""), {})]
    counts = {}
    for event in found:
        for one in event["outcomes"]:
            counts[one["sink"]] = counts.get(one["sink"], 0) + 1
    return {"ok": True, "dry_run": bool(body.get("dry_run")), "matched": len(found), "changed": 0 if body.get("dry_run") else len(found), "deliveries": [], "by_sink": counts,
            "no_rule": sum(not e["outcomes"] and bool(e["status"]) for e in found), "not_a_call": sum(not e["status"] for e in found)}


def rules():
    def one(name, line, when, send, hits, **more):
        return {"name": name, "file": "rules.d/billing.yaml", "line": line, "yaml": f"name: {name}\nwhen:\n" + "".join(f"  {text}\n" for text in when.splitlines()), "send": [{"sink": s, "template": t} for s, t in send], "stop": False, "drop": False, "hits_24h": hits, "hits": hits * 9,
                "last_hit": at(300) if hits else None, "last_event": f"01KB{2000:022X}" if hits else None, "since_reload": hits > 0, "taken_24h": 0, "taken_by": None, **more}
    return {"generation": 7, "counted_since": at(600000), "rules": [
        one("ignore-tests", 3, "tags: [test]\nstatus: any\n", [], 4, drop=True, since_reload=False),
        one("failed-billing", 6, "agent: [billing-eu, billing-us-*]\nstatus: [failed, no-answer, busy]\nnot:\n  voicemail: true\n", [("ops", None), ("oncall", "short")], 212),
        one("long-calls", 14, "status: completed\nmin_duration: 2m\nduring: office\n", [("sales", None)], 1040),
        one("leads", 20, "stage: final\ndata.General.Score: {min: 80}\n", [("crm", None)], 12, stop=True),
        one("all-ended", 25, "{}\n", [("ops", None)], 610, taken_24h=212, taken_by="failed-billing"),
        one("again", 29, "status: failed\n", [("ops", None)], 77, taken_24h=77, taken_by="failed-billing"),
        one("never", 33, "agent: nobody\n", [("crm", None)], 0), {**one("unmatched", None, "", [], 87), "file": None}]}


def sources():
    def one(name, title, last, events, refused, **more):
        return {"name": name, "type": name, "title": title, "path": f"/{name}/webhook", "auth": {"kind": "header", "name": "X-Webhook-Secret", "secret_set": True}, "verify": None, "allow_ips": [], "rate_limit": None,
                "last_event_at": last and at(last), "events_24h": events, "refused_24h": sum(r[1] for r in refused), "refused": [{"error": "invalid_json" if "column" in d else "unauthorized", "detail": d, "count": n, "last_at": at(ago)} for d, n, ago in refused], **more}
    return {"sources": [
        one("bolna", "Bolna", 8, 640, [("the header X-Webhook-Secret is missing", 38, 100), ("line 4, column 18: a comma or } is expected", 3, 1500)], allow_ips=["13.203.39.153", "13.126.9.249", "13.202.133.53"]),
        one("retell", "Retell", 12000, 210, [("the signature is too old: 12 m", 2, 800)], auth={"kind": "hmac", "name": "X-Retell-Signature", "secret_set": True}),
        one("twilio", "Twilio", None, 0, [], auth={"kind": "header", "name": "X-Twilio-Signature", "secret_set": False}),
        one("crm", "Our CRM", 90, 55, [], type="json", auth={"kind": "none", "name": None, "secret_set": False}, rate_limit={"max": 20, "per": 1, "burst": 40})]}


LOST = [{"number": 1, "at": at(240), "source": None, "peer": "13.203.39.153", "path": "/bolna/webhok", "http_status": 404, "error": "not_found", "detail": "no source has this path; did you mean /bolna/webhook?"}]


def refused(query):
    found = sorted(data.REFUSED + LOST, key=lambda one: one["at"], reverse=True)
    return [one for one in found if query.get("source") in (None, one["source"])]


def value(path, value, where="default", secret=False, source=None):
    return {"path": path, "value": value, "from": where, "secret": secret, "source": source}


PROBLEMS = [{"file": "rules.d/billing.yaml", "line": 12, "column": 7, "severity": "error", "message": '"agnet" is not a key of rules[].when', "hint": 'did you mean "agent"?'},
            {"file": "hookswitch.yaml", "line": 40, "column": 3, "severity": "warning", "message": "the sink archive is named by no rule", "hint": ""}]
CONFIG = {"generation": 7, "hash": "9f31c2", "file": "/etc/hookswitch/hookswitch.yaml", "files": ["/etc/hookswitch/hookswitch.yaml", "/etc/hookswitch/rules.d/billing.yaml"], "applied_at": at(90000),
          "values": [value("server.listen", "127.0.0.1:8000", "hookswitch.yaml:3:11"), value("server.public_url", "https://calls.example.com", "hookswitch.yaml:4:15"), value("server.max_body", 1048576), value("server.drain_timeout", 20),
                     value("admin.token", None, "hookswitch.yaml:7:11", True, "env HOOKSWITCH_ADMIN_TOKEN"), value("journal.path", "/var/lib/hookswitch/journal.db", "hookswitch.yaml:9:9"), value("journal.retention.age", 604800), value("journal.keep_bodies", 2048),
                     value("sinks.ops.plugin", "slack", "hookswitch.yaml:11:13"), value("sinks.ops.config.webhook_url", None, "hookswitch.yaml:12:7", True, "env SLACK_WEBHOOK_URL"), value("sinks.ops.rate_limit.max", 1, "hookswitch.yaml:13:18"),
                     value("sinks.ops.retry.schedule", [2, 10, 30, 120, 600, 1800, 3600]), value("sinks.oncall.config.webhook_url", None, "hookswitch.yaml:18:7", True, "file /run/secrets/oncall_webhook"), value("unmatched", "drop")]
          + [value(f"agents.3c90c3cc-0d44-4b50-8888-{n:012x}.name", f"agent-{n}", f"hookswitch.yaml:{60 + n}:5") for n in range(60)],
          "last_reload": {"at": at(180), "ok": False, "by": "SIGHUP", "problems": PROBLEMS}}
fixed = []


def reload():
    """Fails the first time, then works."""
    if not fixed:
        fixed.append(True)
        CONFIG["last_reload"] = {"at": at(0), "ok": False, "by": "ana", "problems": PROBLEMS}
        raise Refused(422, "invalid_config", "1 problem; nothing was changed", generation=7, problems=PROBLEMS, need_restart=[], kept_variables=[], orphaned=[])
    CONFIG.update(generation=CONFIG["generation"] + 1, applied_at=at(0), last_reload={"at": at(0), "ok": True, "by": "ana", "problems": []})
    publish("reload", {"ok": True, "generation": CONFIG["generation"], "problems": []})
    return {"ok": True, "generation": CONFIG["generation"], "need_restart": ["server.listen"], "kept_variables": [], "orphaned": [{"sink": "old-sink", "pending": 3}], "problems": []}


def action(ago, who, name, target, detail, status=200, **result):
    return {"at": at(ago), "who": who, "peer": "127.0.0.1", "action": name, "target": target, "detail": detail, "http_status": status, "result": {"ok": status < 400, **result}}


ACTIONS = [one for n in range(20) for one in [
    action(300 + n * 9000, "ana", "pause", "sinks/sales", {"until": at(-7200), "because": "carrier maintenance"}), action(900 + n * 9000, None, "reload", "config", {}, 422, problems=PROBLEMS), action(1800 + n * 9000, "SIGHUP", "reload", "config", {}, generation=7),
    action(2400 + n * 9000, "ana", "replay", "deliveries", {"state": "dead", "sink": "ops", "since": "2h"}, changed=12), action(3600 + n * 9000, "ben", "unmask", "events/" + data.EVENTS[5]["id"], {}),
    action(4200 + n * 9000, "ana", "test", "sinks/ops", {}, outcome="misconfigured", reason="Slack answered 404 no_service"), action(4800 + n * 9000, "ana", "resume", "sinks/crm", {}, works=True), action(5400 + n * 9000, "ana", "replay", "events", {"search": "agent:billing-eu status:failed"}, changed=7, by_sink={"ops": 7}),
    action(6000 + n * 9000, "ana", "purge", "deliveries", {"state": ["dead", "held"], "sink": "old-sink"}, changed=3), action(7000 + n * 9000, "ana", "replay", "deliveries/d-7", {})]]


def record(name, target, body, status, result):
    if not (body or {}).get("dry_run"):
        ACTIONS.insert(0, {"at": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z"), "who": "ana", "peer": "127.0.0.1", "action": name, "target": target, "detail": body or {}, "http_status": status, "result": result})


ROUTERS = {"routers": [
    {"name": "router-1", "version": "1.4.0", "config": "9f31c2a7b0de44", "lease_age": 1.4, "lanes": ["ops", "sales"], "this": False},
    {"name": "router-2", "version": "1.4.0", "config": "0b77d1c49a2e10", "lease_age": 0.3, "lanes": [], "this": True}]}


def status():
    broken = [one for one in SINKS.values() if one["state"] == "misconfigured"]
    problems = [{"severity": "error", "kind": "sink", "name": one["sink"], "since": one["since"], "text": f"{one['sink']} is misconfigured: Slack answered 404 no_service. {one['pending']} wait.",
                 "hint": "Make a new webhook at api.slack.com/apps > your app > Incoming Webhooks, put its URL into webhook_url and reload."} for one in broken]
    if not CONFIG["last_reload"]["ok"]:
        problems.append({"severity": "warning", "kind": "config", "name": "hookswitch.yaml", "since": CONFIG["last_reload"]["at"], "text": 'The last reload failed: rules.d/billing.yaml:12:7: "agnet" is not a key.', "hint": 'Did you mean "agent"? The config from before still runs.'})
    return {"version": "1.4.0", "generation": CONFIG["generation"], "config": "/etc/hookswitch/hookswitch.yaml", "ingress": "127.0.0.1:8000", "admin": "127.0.0.1:8001", "started_at": at(600000), "applied_at": at(90000),
            "need_restart": ["server.listen"] if CONFIG["last_reload"]["ok"] else [], "sources": ["bolna", "retell", "twilio", "crm"],
            "journal": {"events": len(data.EVENTS), "pending": 19, "bytes": 8123456, "bytes_on_disk": 9123456, "bad_rows": 0, "unwritable_because": None}, "name": "router-1", "bodies": BODIES, "who": "ana", "may": MAY,
            "search": {"indexed": 2000, "behind": 0, "bytes": 1234567}, "problems": problems}


def explain(body):
    """An event by its id, or a body: its status and duration decide, and at night long-calls is closed."""
    if body.get("event"):
        event, raw = data.BY_ID[body["event"]], json.loads(data.raw_of(data.BY_ID[body["event"]]))
    else:
        event = data.EVENTS[0]
        try:
            raw = json.loads(body["body"])
        except json.JSONDecodeError as error:
            raise Refused(422, "invalid_json", f"line {error.lineno}, column {error.colno}: {error.msg}", line=error.lineno, column=error.colno) from error
        if not isinstance(raw, dict) or "id" not in raw:
            raise Refused(422, "missing_field", 'neither "id" nor "execution_id" is there, so this is no call of bolna')
    when = datetime.datetime.fromisoformat((body.get("at") or at(0)).replace("Z", "+00:00"))
    is_open = when.weekday() < 5 and 9 <= when.hour < 18
    call_status, agent, duration = raw.get("status"), raw.get("agent_name") or raw.get("agent_id"), raw.get("conversation_duration")
    failed = call_status in ("failed", "no-answer", "busy")
    checks = {"failed-billing": [(f'agent is "{agent}", wanted billing-eu or billing-us-*', str(agent).startswith("billing")), (f'status is "{call_status}", wanted failed, no-answer or busy', failed)],
              "long-calls": [(f'status is "{call_status}", wanted completed', call_status == "completed"), (f"duration is {duration} s, wanted 2m or more", (duration or 0) >= 120), ("the schedule office is " + ("open" if is_open else f"closed on {when:%A} at {when:%H:%M} UTC"), is_open)],
              "all-ended": [(f'status is "{call_status}", wanted one of ended', failed or call_status == "completed")]}
    taken, explained = {}, []
    for name, conditions in checks.items():
        matched = all(holds for _, holds in conditions)
        new = [s for s in RULE_SINKS[name] if s not in taken] if matched else []
        explained.append({"name": name, "matched": matched, "why": "every condition holds" if matched else next(t for t, holds in conditions if not holds), "conditions": [{"text": t, "holds": holds} for t, holds in conditions],
                          "sinks": new, "merged": [s for s in RULE_SINKS[name] if s in taken] if matched else [], "stopped": False})
        taken.update({s: name for s in new})
    shown = data.detail(event["id"], {})
    known = {"call_id": raw.get("id"), "status": call_status, "agent.name": agent, "duration": duration}
    fields = [{**f, "value": known.get(f["field"], f["value"])} for f in shown["fields"]]
    seen = {**event, "status": call_status, "agent": agent, "call_id": raw.get("id"), "note": None}
    return {"event": {"call_id": raw.get("id"), "status": call_status, "agent": {"id": None, "name": agent}}, "fields": fields, "rules": explained,
            "deliveries": [{"sink": s, "rule": r} for s, r in taken.items()], "messages": [data.message_of(seen, s, r) for s, r in taken.items()] if body.get("messages") else []}
