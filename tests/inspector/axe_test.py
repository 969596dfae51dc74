"""What keeps people from using the page, as axe-core finds it: nothing serious, in any view, in both schemes, with what
callers said hidden and shown."""

import unittest

import harness
from harness import InspectorTest, sample
from page_test import VIEWS


@unittest.skipUnless(harness.AXE.exists(), "axe-core was not fetched (fetch_axe.sh)")
class Axe(InspectorTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.axe = harness.AXE.read_text()
        _, cls.failed = cls.router.post(sample("failed"))
        _, cls.completed = cls.router.post(sample("completed", transcript="assistant: Maya\nuser: " + "I see. " * 2000))
        cls.router.wait_for('"event":"delivery_delivered"', 3)
        cls.router.post("{")
        cls.router.api("sinks/ops/pause", {"because": "carrier maintenance"})

    def serious(self):
        self.browser.run(self.axe)
        found = self.browser.driver.execute_async_script("axe.run(document).then(arguments[arguments.length - 1])")
        self.assertGreater(len(found["passes"]), 5)
        return [f"{finding['id']}: {finding['help']}: {node['html'][:200]} {node['failureSummary'][:300]}"
                for finding in found["violations"] if finding["impact"] in ("serious", "critical")
                for node in finding["nodes"]]

    def check(self, place, *texts, shown=None):
        """`shown`: a text that stands there once what callers said is shown; checked then."""
        for scheme in ("light", "dark"):
            with self.subTest(place=place, scheme=scheme, shown=shown):
                self.browser.look(1280, 900, scheme)
                self.open(place)
                self.browser.wait(lambda: self.browser.find("main h1") and "Loading" not in self.browser.text(), f"{place} does not load")
                self.browser.wait_for_text(*texts)
                if shown:
                    self.browser.click("masked", "header")
                    self.browser.wait_for_text(shown)
                    self.browser.wait(lambda: "Loading" not in self.browser.text(), f"{place} does not load")
                    self.browser.run("for (const one of document.querySelectorAll('main details')) one.open = true")
                self.assertEqual(self.serious(), [])

    def test_no_view_has_a_serious_finding(self):
        for name in VIEWS:
            self.check("#/" + name.lower())

    def test_an_event_has_none(self):
        self.check(f"#/event/{self.failed['id']}", "What came", "Which rules", "What was sent")

    def test_what_callers_said_has_none(self):
        for event in (self.failed, self.completed):
            self.check(f"#/event/{event['id']}", "What was sent", shown="As Slack shows it")
            self.check(f"#/event/{event['id']}?raw=text", "What was sent", shown="As Slack shows it")
        self.check(f"#/try?event={self.completed['id']}", "Try a payload", shown="What would be sent")
        self.check(f"#/compare?a={self.failed['id']}&b={self.completed['id']}", "Two events compared", shown="differences.")

    def test_lists_of_calls_and_deliveries_have_none(self):
        self.check("#/deliveries", "delivered")
        self.check(f"#/call/{sample('failed')['id']}", "What became of it")

    def test_help_and_a_dialog_have_none(self):
        self.open()
        self.browser.wait_for_text("Live")
        self.browser.click("Help")
        self.browser.wait(lambda: self.browser.find("dialog[open]"), "there is no help")
        self.assertEqual(self.serious(), [])


if __name__ == "__main__":
    harness.main()
