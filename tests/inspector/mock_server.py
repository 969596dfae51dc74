#!/usr/bin/env python3
"""The inspector page with made-up data, for work on the page alone: mock_server.py [--port 8099] [--token T].

Serves core/admin/page and an answer for every address of the admin API that the page uses. Nothing here is a
specification: that is config/OPERATING.md, and the tests run against a real router.
"""
import argparse
import itertools
import json
import os
import queue
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote, urlsplit

import mock_data as data
import mock_operate as operate
from mock_operate import Refused

PAGE = os.path.join(os.path.dirname(__file__), "../../core/admin/page")
TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
POLICY = ("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
          "base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
streams = set()


def search_problem(text):
    for term in text.split():
        key = term.lstrip("-").split(":")[0]
        if ":" in term and key.isidentifier() and key not in data.KEYS and not key.startswith("data"):
            raise Refused(400, "invalid_search", f'"{key}" is no key of the search; did you mean "agent"?',
                          at=text.index(key), length=len(key))


def events(query):
    search_problem(query.get("search", ""))
    all_events = data.LONG[::-1] if query.get("call_id") == data.LONG_CALL else data.newest_first()
    found = [e for e in all_events if data.fits(e, query.get("search", ""), query)]
    return page("events", found, query)


def page(name, found, query):
    limit, start = int(query.get("limit", 100)), int(query.get("cursor", 0))
    part = found[start:start + limit]
    end = start + limit
    answer = {name: part, "cursor": str(end) if end < len(found) else None}
    if query.get("search"):
        answer["index"] = {"complete": "behind" not in query["search"], "behind": 12000}
    return answer


def call(call_id, query):
    found = data.of_call(call_id)
    if not found:
        raise Refused(404, "not_found", f"no event of the call {call_id} is stored")
    answer = page("events", found, query)
    return {"call_id": call_id, "sources": sorted({e["source"] for e in found}), "agent": found[0]["agent"],
            "first": found[0]["received_at"], "last": found[-1]["received_at"], "count": len(found), **answer}


def change(parts, body):
    """Does what a POST asks for and keeps it among the actions."""
    name, target = parts[-1], "/".join(parts[:-1]) or "config"
    if parts[0] == "sinks":
        done = operate.pause(parts[1], body) if name == "pause" else operate.resume(parts[1]) if name == "resume" else operate.test(parts[1])
    elif name == "reload":
        try:
            done = operate.reload()
        except Refused as refused:
            operate.record("reload", "config", body, refused.status, refused.body)
            raise
    elif name == "unmask":
        done = data.detail(parts[1], {})
    elif parts[0] == "deliveries":
        done = operate.bulk({"all": True}, set(), {}) if len(parts) == 3 else operate.purge(body) if name == "purge" else operate.replay_deliveries(body)
    else:
        done = operate.replay_events(body) if len(parts) == 2 else {"ok": True, "deliveries": ["d-1", "d-2"]}
    operate.record(name, target, body, 200, {} if name == "unmask" else done)
    return done


def answer_api(method, path, query, body):
    parts = [unquote(p) for p in path.split("/")]
    if method == "POST" and parts[-1] == "explain":
        return operate.explain(body)
    if method == "POST":
        if operate.MAY != "change" or (parts[-1] == "unmask" and operate.BODIES == "off"):
            raise Refused(403, "forbidden", "this token may only read" if operate.MAY != "change" else "inspector.bodies is off")
        return change(parts, body or {})
    if parts[0] == "events":
        hidden = {"mask": "true"} if operate.BODIES != "full" else {}
        return events(query) if len(parts) == 1 else data.detail(parts[1], {**query, **hidden})
    if parts[0] == "calls":
        return call(parts[1], query)
    if parts[0] == "deliveries":
        if len(parts) == 1:
            return page("deliveries", data.deliveries(query), query)
        return data.message(parts[1]) if parts[-1] == "message" else data.delivery(parts[1])
    if parts[0] == "refused":
        return page("refused", operate.refused(query), query)
    if parts[0] == "suggest":
        return data.suggest(query.get("search", ""), int(query.get("at", 0)))
    if parts[0] == "actions":
        return page("actions", operate.ACTIONS, query)
    tables = {"status": operate.status, "sinks": operate.sinks, "rules": operate.rules, "sources": operate.sources, "config": lambda: operate.CONFIG, "cluster": lambda: operate.ROUTERS}
    if parts[0] in tables:
        return tables[parts[0]]()
    raise Refused(404, "not_found", "there is no such page")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def send(self, status, kind, body, **headers):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("Cache-Control", "no-store")
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.serve("GET")

    def do_POST(self):
        self.serve("POST")

    def serve(self, method):
        url = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        token = self.server.token
        if url.path == "/" or url.path.startswith("/page/"):
            return self.file("index.html" if url.path == "/" else url.path[6:])
        if not url.path.startswith("/api/v1/"):
            return self.json(404, {"ok": False, "error": "not_found", "detail": "there is no such page"})
        if token and f"hookswitch={token}" not in (self.headers.get("Cookie") or ""):
            if url.path.endswith("/session") and self.headers.get("Authorization") == f"Bearer {token}":
                return self.json(200, {"ok": True}, Set_Cookie=f"hookswitch={token}; Path=/; HttpOnly; SameSite=Strict")
            return self.json(401, {"ok": False, "error": "unauthorized", "detail": "a token is required"})
        if url.path == "/api/v1/stream":
            return self.stream()
        try:
            query = dict(parse_qsl(url.query, keep_blank_values=True))
            self.json(200, answer_api(method, url.path[8:], query, json.loads(body) if body else None))
        except Refused as refused:
            self.json(refused.status, refused.body)
        except KeyError as missing:
            self.json(404, {"ok": False, "error": "not_found", "detail": f"no event has the id {missing}; retention may have removed it"})

    def json(self, status, body, **headers):
        text = body if isinstance(body, str) else json.dumps(body)
        self.send(status, "application/json", text.encode(), **headers)

    def file(self, name):
        path = os.path.normpath(os.path.join(PAGE, name))
        local = os.path.join(os.path.dirname(__file__), name[6:]) if name.startswith("tests/") else path
        try:
            with open(local, "rb") as file:
                self.send(200, TYPES.get(os.path.splitext(name)[1], "text/plain"), file.read())
        except OSError:
            self.send(404, "text/plain", b"no such file")

    def stream(self):
        mine = queue.Queue()
        streams.add(mine)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Connection", "close")
        self.end_headers()
        try:
            self.wfile.write(b'event: hello\ndata: {"cursor": "1", "version": "1.4.0", "generation": 7}\n\n')
            while True:
                try:
                    kind, item, cursor = mine.get(timeout=15)
                    self.wfile.write(f"id: {cursor}\nevent: {kind}\ndata: {json.dumps(item)}\n\n".encode())
                except queue.Empty:
                    self.wfile.write(b": still here\n\n")
                self.wfile.flush()
        except OSError:
            streams.discard(mine)


cursors = itertools.count(2)


def publish(kind, item):
    cursor = next(cursors)
    for one in list(streams):
        one.put((kind, item, cursor))


operate.publish = publish


def make_events(every):
    while True:
        time.sleep(every)
        for kind, item in data.next_messages():
            publish(kind, item)


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--port", type=int, default=8099)
    options.add_argument("--token", default="")
    options.add_argument("--may", default="change", choices=["change", "read"])
    options.add_argument("--bodies", default="full", choices=["full", "masked", "off"])
    options.add_argument("--every", type=float, default=4, help="seconds between two made-up events; 0: none")
    chosen = options.parse_args()
    server = ThreadingHTTPServer(("127.0.0.1", chosen.port), Handler)
    server.daemon_threads = True
    server.token = chosen.token
    operate.MAY = chosen.may
    operate.BODIES = chosen.bodies
    if chosen.every:
        threading.Thread(target=make_events, args=(chosen.every,), daemon=True).start()
    print(f"http://127.0.0.1:{chosen.port}/", flush=True)
    server.serve_forever()
