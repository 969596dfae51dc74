"""Starts the real router, a stand-in for Slack and a browser without a window for the tests of the inspector page."""

import base64
import functools
import http.server
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("HSW_BINARY_DIR", SOURCE / "build")).resolve()
SHOTS = BUILD / "inspector-shots"
AXE = BUILD / "inspector-axe" / "axe.min.js"
PATIENCE = 30  # seconds; what waits longer waits for ever
SKIP = 77  # the exit code by which ctest knows that something was skipped

CONFIG = """version: 1
server: {listen: "127.0.0.1:0"}
admin: %(admin)s
journal: {path: %(folder)s/journal.db}
inspector: {bodies: %(bodies)s}
plugins: {paths: [%(build)s/lib/hookswitch/sinks]}
sources:
  bolna: {type: bolna, path: /bolna/webhook, auth: {header: X-Webhook-Secret, secret: {file: %(folder)s/webhook_secret}}}
sinks:
  ops:
    plugin: slack
    config: {webhook_url: {file: %(folder)s/ops_webhook}, allow_any_host: true}
    rate_limit: {max: 1000, per: 1s, burst: 1000}
    retry: {schedule: [1s], give_up_after: 1h}
  sales:
    plugin: slack
    config: {webhook_url: {file: %(folder)s/sales_webhook}, allow_any_host: true}
    rate_limit: {max: 1000, per: 1s, burst: 1000}
rules:
  - name: failures
    when: {status: unsuccessful, not: {agent: billing-eu}}
    send: [ops]
  - name: answered
    when: {status: completed}
    send: [ops, sales]
"""
WEBHOOK_SECRET = "of-the-webhook"


def sample(name, **changes):
    """A body as Bolna posts it; `changes` are laid over its keys."""
    body = json.loads((SOURCE / "tests/golden/sources/bolna" / f"{name}.json").read_text())
    return body | changes


class Program:
    """A running program whose lines on one of its streams are kept."""

    def __init__(self, command, stream):
        self.lines = []
        self.changed = threading.Condition()
        self.process = subprocess.Popen([str(word) for word in command], **{stream: subprocess.PIPE}, text=True)
        self.reader = threading.Thread(target=self._read, args=[getattr(self.process, stream)], daemon=True)
        self.reader.start()

    def _read(self, stream):
        for line in stream:
            with self.changed:
                self.lines.append(line.rstrip("\n"))
                self.changed.notify_all()
        with self.changed:
            self.lines.append(None)  # its end
            self.changed.notify_all()

    def wait_for(self, text, count=1):
        """The `count`th line with `text`."""
        def found():
            return [line for line in self.lines if line is not None and text in line][count - 1:count]
        with self.changed:
            self.changed.wait_for(lambda: found() or None in self.lines, PATIENCE)
            if not found():
                raise AssertionError(f"no line {count} with {text!r} came:\n" + "\n".join(map(str, self.lines)))
            return found()[0]

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE)
        self.reader.join(PATIENCE)


class FakeSlack(Program):
    def __init__(self):
        super().__init__([BUILD / "bin/hookswitch-fake-slack"], "stdout")
        self.url = "http://" + self.wait_for("listening on ").split()[-1]

    def behave(self, **behaviour):
        """{"mode": "status", "status": 404, "word": "no_service", "path": "/services/T0/B0/ops"}"""
        fetch(self.url + "/_control", behaviour)


class Router(Program):
    def __init__(self, folder, slack, admin, tokens, bodies):
        self.folder = pathlib.Path(folder)
        self.token = tokens.get("admin_token")
        for name, token in tokens.items():
            write_secret(self.folder / name, token)
        write_secret(self.folder / "webhook_secret", WEBHOOK_SECRET)
        for sink in ("ops", "sales"):
            write_secret(self.folder / f"{sink}_webhook", f"{slack.url}/services/T0/B0/{sink}")
        self.config = self.folder / "hookswitch.yaml"
        self.config.write_text(CONFIG % {"admin": admin % {"folder": folder}, "folder": folder, "build": BUILD, "bodies": bodies})
        super().__init__([BUILD / "bin/hookswitch", "serve", "-c", self.config], "stderr")
        ready = json.loads(self.wait_for('"event":"ready"'))
        self.ingress = "http://" + ready["ingress"]
        self.admin = "http://" + ready["admin"]

    def post(self, body, **headers):
        """What the source answers to `body`, a text or a value."""
        return fetch(self.ingress + "/bolna/webhook", body, {"X-Webhook-Secret": WEBHOOK_SECRET} | headers)

    def api(self, path, body=None, method=None):
        headers = {"Authorization": "Bearer " + self.token} if self.token else {}
        status, answer = fetch(self.admin + "/api/v1/" + path, body, headers, method)
        if status != 200:
            raise AssertionError(f"{path}: {status} {answer}")
        return answer

    def reload_with(self, old, new):
        """Writes `new` for `old` in the config, and reloads it: (status, answer)."""
        text = self.config.read_text()
        assert old in text, f"the config has no {old}"
        self.config.write_text(text.replace(old, new))
        return fetch(self.admin + "/api/v1/reload", {}, {"Authorization": "Bearer " + self.token} if self.token else {})

    def wait_until(self, path, holds):
        """The answer of the API once `holds` it; what is logged is shown a moment later."""
        deadline = time.monotonic() + PATIENCE
        while True:
            answer = self.api(path)
            if holds(answer):
                return answer
            if time.monotonic() > deadline:
                raise AssertionError(f"{path} stays {json.dumps(answer)[:2000]}")


def write_secret(path, text):
    path.touch(0o600)
    path.write_text(text)


def fetch(url, body=None, headers=None, method=None):
    """(status, what the JSON of the answer says)"""
    data = body if body is None or isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"} | (headers or {}), method=method)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.status, json.loads(answer.read() or "null")
    except urllib.error.HTTPError as refused:
        return refused.code, json.loads(refused.read() or "null")


def serve_tree():
    """A web server for the tree, for modules without a router: (its address, its end)."""
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(SOURCE)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}", server.shutdown


class Browser:
    """Chromium, which speaks to this machine only."""

    # In each document, before any of its scripts.
    WATCH = """
      window.__problems = [];
      addEventListener("securitypolicyviolation", (e) => __problems.push(`policy: ${e.violatedDirective} ${e.blockedURI} ${e.sample}`));
      addEventListener("error", (e) => __problems.push(`error: ${e.message || e.target?.src || e.target?.href}`), true);
      addEventListener("unhandledrejection", (e) => __problems.push(`rejection: ${e.reason}`));
      for (const name of ["alert", "confirm", "prompt"]) window[name] = (text) => { __problems.push(`${name}: ${text}`); };
    """

    def __init__(self):
        self.clicks = 0  # of a person; Enter is one, too
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                         "--disable-background-networking", "--disable-component-update", "--disable-extensions",
                         "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--lang=en-US",
                         "--window-size=1280,900"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        environment = os.environ | {"TZ": "UTC", "LC_ALL": "C.UTF-8"}
        self.driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver", env=environment))
        self.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": self.WATCH})

    def quit(self):
        self.driver.quit()

    def look(self, width=1280, height=900, scheme="light"):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                    {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia",
                                    {"features": [{"name": "prefers-color-scheme", "value": scheme}]})

    def shoot(self, name):
        SHOTS.mkdir(parents=True, exist_ok=True)
        shot = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})
        (SHOTS / f"{name}.png").write_bytes(base64.b64decode(shot["data"]))

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def wait(self, holds, why):
        """What `holds()` returns once it is true."""
        from selenium.common.exceptions import StaleElementReferenceException, TimeoutException
        from selenium.webdriver.support.ui import WebDriverWait
        waiting = WebDriverWait(self.driver, PATIENCE, 0.05, [StaleElementReferenceException])
        try:
            return waiting.until(lambda _: holds())
        except TimeoutException:
            raise AssertionError(f"{why}; the page says:\n{self.text()}") from None

    def find(self, selector):
        from selenium.webdriver.common.by import By
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def text(self):
        return self.run("return document.body ? document.body.innerText : ''")

    def click(self, name, inside="body"):
        """Clicks what a person would call so: a link, button or row whose text or label starts with `name`."""
        def found():
            for element in self.find(f"{inside} a, {inside} button, {inside} summary, {inside} [role=option]"):
                label = element.get_attribute("aria-label") or element.text
                if element.is_displayed() and label.strip().startswith(name):
                    return element
            return None
        self.wait(found, f"nothing to click is called {name!r}").click()
        self.clicks += 1

    def search(self, text):
        """Types into the search box, and presses Enter."""
        from selenium.webdriver.common.keys import Keys
        self.type("/")
        self.wait(lambda: self.run("return document.activeElement.tagName") == "INPUT", "the search has no focus")
        self.run("document.activeElement.select()")
        self.type(text, Keys.ESCAPE, Keys.ENTER)
        self.clicks += 1

    def type(self, *keys):
        """Types into what has the focus."""
        from selenium.webdriver.common.action_chains import ActionChains
        ActionChains(self.driver).send_keys(*keys).perform()

    def wait_for_text(self, *texts):
        for text in texts:
            self.wait(lambda: text in self.text(), f"{text!r} does not come")

    def problems(self, expected=()):
        """What went wrong since the last call, without what has one of `expected` in it."""
        found = [f"console: {line['message']}" for line in self.driver.get_log("browser") if line["level"] in ("SEVERE", "WARNING")]
        found += self.run("return (window.__problems ?? []).splice(0)")
        return [problem for problem in found if not any(text in problem for text in expected)]


class InspectorTest(unittest.TestCase):
    """A router with its page in a browser. A test fails if the page says anything in the console, breaks its policy or
    asks for anything that it may not have, unless it is one of `expected`."""

    admin = '{listen: "127.0.0.1:0"}'
    tokens = {}  # by the names of their files; `admin_token` is what Router.api uses
    bodies = "full"  # inspector.bodies

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = folder.name
        cls.slack = FakeSlack()
        cls.addClassCleanup(cls.slack.stop)
        cls.router = Router(cls.folder, cls.slack, cls.admin, cls.tokens, cls.bodies)
        cls.addClassCleanup(cls.router.stop)
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.quit)

    def setUp(self):
        self.expected = []
        self.browser.look()

    def tearDown(self):
        self.assertEqual(self.browser.problems(self.expected), [])

    def open(self, place=""):
        """Loads the page anew, at `place` ("#/sinks")."""
        self.browser.driver.get("about:blank")
        self.browser.driver.get(self.router.admin + "/" + place)


def main():
    """Runs the tests of the file. What is skipped is no success: it says so, and exits with SKIP."""
    missing = [path for path in ("/usr/bin/chromium", "/usr/bin/chromedriver") if not os.path.exists(path)]
    try:
        import selenium  # noqa: F401
    except ImportError:
        missing.append("python3-selenium")
    if missing:
        print("skipped: this machine lacks " + ", ".join(missing))
        raise SystemExit(SKIP)
    result = unittest.main(module="__main__", exit=False, verbosity=2).result
    if not result.wasSuccessful():
        raise SystemExit(1)
    raise SystemExit(SKIP if result.skipped else 0)
