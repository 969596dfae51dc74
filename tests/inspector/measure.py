"""How fast the page is with the real router behind it: not a test, run by hand on a machine that does nothing else.
usage: measure.py [EVENTS_OF_ONE_CALL]"""

import statistics
import sys
import threading
import time

import harness
from harness import sample

WATCH_ROWS = """
  window.__seen = new Map();
  new MutationObserver(() => {
    for (const row of document.querySelectorAll('main a.row'))
      for (const name of row.textContent.match(/timed-\\d+x/g) ?? [])
        if (!window.__seen.has(name)) requestAnimationFrame(() => window.__seen.set(name, Date.now()));
  }).observe(document.querySelector('main'), {childList: true, subtree: true, characterData: true});
"""
WATCH_TASKS = """
  window.__long = [];
  new PerformanceObserver((list) => window.__long.push(...list.getEntries().map((entry) => entry.duration)))
      .observe({type: 'longtask', buffered: true});
"""


class Page(harness.InspectorTest):
    def paint(self):
        self.open()
        self.browser.wait(lambda: self.browser.find("main a.row"), "there is no row")
        return self.browser.run("return performance.getEntriesByName('first-contentful-paint')[0].startTime")

    def measure_paint(self):
        self.router.post(sample("completed"))
        times = sorted(self.paint() for _ in range(15))
        print(f"first contentful paint: median {statistics.median(times):.0f} ms, of 15 the slowest {times[-1]:.0f} ms")

    def measure_arrival(self):
        self.open()
        self.browser.wait_for_text("live")
        self.browser.run(WATCH_ROWS)
        sent = {}
        for number in range(40):
            name = f"timed-{number}x"
            sent[name] = time.time() * 1000
            self.router.post(sample("completed", id=f"00000000-0000-4000-8000-{number:012}", agent_id=name))
            time.sleep(0.1)
        self.browser.wait(lambda: self.browser.run("return window.__seen.size") == len(sent), "not every event came")
        seen = dict(self.browser.run("return [...window.__seen]"))
        times = sorted(seen[name] - sent[name] for name in sent)
        print(f"from the request to the page: median {statistics.median(times):.0f} ms, of {len(times)} the slowest "
              f"{times[-1]:.0f} ms")

    def measure_call(self, count):
        body = harness.json.dumps(sample("in-progress", id="00000000-0000-4000-8000-0000000000ff"))
        def post(first):
            for number in range(first, count, 4):
                self.router.post(body.replace("{", f'{{"turn": {number}, ', 1))
        senders = [threading.Thread(target=post, args=[first]) for first in range(4)]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        self.router.wait_until("status", lambda status: status["search"]["behind"] == 0)
        self.browser.driver.get("about:blank")
        begun = time.monotonic()
        self.open("#/call/00000000-0000-4000-8000-0000000000ff")
        self.browser.run(WATCH_TASKS)
        self.browser.wait(lambda: self.browser.find("main a.row, main .row"), "there is no row")
        shown = time.monotonic() - begun
        for _ in range(100):
            self.browser.run("window.scrollTo(0, document.body.scrollHeight)")
            time.sleep(0.05)
        longest = self.browser.run("return Math.max(0, ...window.__long)")
        rows = self.browser.run("return document.querySelectorAll('main *').length")
        print(f"a call of {count} events: shown after {shown * 1000:.0f} ms, longest task {longest:.0f} ms, "
              f"{rows} elements after scrolling; it says {self.browser.text()[:200]!r}")


def main():
    Page.setUpClass()
    try:
        page = Page()
        page.browser.look()
        page.measure_paint()
        page.measure_arrival()
        page.measure_call(int(sys.argv[1]) if len(sys.argv) > 1 else 20000)
    finally:
        Page.doClassCleanups()


main()
