"""The unit tests of the page's modules (unit.js), in the browser that the page is for."""

import harness


class Modules(harness.unittest.TestCase):
    def test_every_unit_test_passes(self):
        address, stop = harness.serve_tree()
        self.addCleanup(stop)
        browser = harness.Browser()
        self.addCleanup(browser.quit)
        browser.driver.get(address + "/tests/inspector/unit.html")
        results = browser.wait(lambda: browser.run("return window.__results ?? null"), "the tests do not end")
        self.assertEqual(results["failed"], [])
        self.assertGreater(results["passed"], 50)


if __name__ == "__main__":
    harness.main()
