"""The frame of the page: it loads, lives, asks for a token, trusts no text, and looks right at every size."""

import harness
from harness import InspectorTest, sample

HOSTILE = ("<img src=x onerror='window.__hostile=1'><script>window.__hostile=1</script>"
           "<svg onload='window.__hostile=1'></svg>\"'><b>bold</b>{{constructor.constructor('window.__hostile=1')()}}"
           "<a href='javascript:window.__hostile=1'>here</a>\u202etxet\u202c &lt;i&gt;")
VIEWS = ("Live", "Calls", "Sinks", "Rules", "Sources", "Try", "Config", "Actions")


class Frame(InspectorTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for number, name in enumerate(("completed", "failed", "ringing", "busy")):
            cls.router.post(sample(name, id=f"00000000-0000-4000-8000-00000000000{number}"))
        cls.router.wait_for('"event":"delivery_delivered"', 4)
        cls.router.post("{")
        cls.router.post(sample("completed"), **{"X-Webhook-Secret": "a-guess"})

    def test_shows_what_came_in_and_what_became_of_it(self):
        self.open()
        self.browser.wait_for_text("completed", "failed", "delivered to ops", "no rule wanted it", "refused 401")
        self.assertIn("Live", self.browser.driver.title)

    def test_the_first_paint_comes_soon_and_nothing_comes_from_elsewhere(self):
        self.open()
        self.browser.wait_for_text("completed")
        paint = self.browser.run("return performance.getEntriesByName('first-contentful-paint')[0].startTime")
        print(f"first contentful paint after {paint:.0f} ms", flush=True)
        self.assertLess(paint, 3000, "a page of this size paints at once, on a machine that has other work, too")
        asked = self.browser.run("return performance.getEntriesByType('resource').map((e) => e.name)")
        self.assertEqual([url for url in asked if not url.startswith(self.router.admin + "/")], [])
        late = self.browser.run("""
            const preloaded = new Set([...document.querySelectorAll('link[rel=modulepreload]')].map((link) => link.href));
            return performance.getEntriesByType('resource').map((e) => e.name)
                .filter((name) => name.endsWith('.js') && !preloaded.has(name) && !name.endsWith('/main.js'))""")
        self.assertEqual(late, [], "modules that the browser learns of late")

    def test_what_comes_in_appears_by_itself_and_a_pause_holds_it(self):
        self.open()
        self.browser.wait_for_text("live", "completed")
        self.router.post(sample("completed", id="00000000-0000-4000-8000-0000000000a1", agent_id="agent-that-is-new"))
        self.browser.wait_for_text("agent-that-is-new")
        self.browser.type("p")
        self.browser.wait_for_text("Go on")
        self.router.post(sample("completed", id="00000000-0000-4000-8000-0000000000a2", agent_id="agent-that-is-held"))
        self.browser.wait_for_text("1 new")
        self.assertNotIn("agent-that-is-held", self.browser.text())
        self.browser.type("p")
        self.browser.wait_for_text("agent-that-is-held")

    def test_what_becomes_of_a_call_appears_by_itself(self):
        for number, place in enumerate(("#/calls", "#/call/00000000-0000-4000-8000-0000000000e1", "#/call/00000000-0000-4000-8000-0000000000e2?order=newest")):
            self.slack.behave(mode="status", status=500, word="internal_error", path="/services/T0/B0/ops")
            call = f"00000000-0000-4000-8000-0000000000e{number}"
            self.router.post(sample("failed", id=call))
            self.open(place)
            self.browser.wait_for_text("trying again")
            self.slack.behave(mode="ok", path="/services/T0/B0/ops")
            self.browser.wait(lambda: "trying again" not in self.browser.text() and "delivered to" in self.browser.text(), f"{place} stays as it was")

    def test_a_payload_full_of_html_and_script_stays_text(self):
        _, answer = self.router.post(sample(
            "failed", id="00000000-0000-4000-8000-0000000000b1", transcript=f"assistant: {HOSTILE}\nuser: {HOSTILE}",
            agent_id=HOSTILE, summary=HOSTILE, error_message=HOSTILE, user_number=HOSTILE,
            extracted_data={HOSTILE: {HOSTILE: HOSTILE}}, **{HOSTILE: HOSTILE}))
        self.router.wait_for(f'"id":"{answer["id"]}"')
        self.open()
        self.browser.wait_for_text("<img src=x")
        self.open(f"#/event/{answer['id']}")
        self.browser.wait_for_text("What came", "What it was read as", "Which rules")
        if self.browser.run("return document.querySelector('header .mask').textContent") == "masked":
            self.browser.click("masked", "header")
        self.browser.wait_for_text("<script>window.__hostile=1</script>")
        for place in ("#/live?search=" + "%22late%20fee%22", "#/calls", "#/rules", "#/actions"):
            self.open(place)
            self.browser.wait(lambda: self.browser.find("main h1"), f"{place} draws nothing")
        self.assertIsNone(self.browser.run("return window.__hostile ?? null"))
        self.assertEqual(len(self.browser.find("main img[src=x], main script, main b[onclick], main svg[onload]")), 0)

    def test_every_view_is_reached_by_its_name_and_fits_from_360_pixels_up(self):
        for scheme in ("light", "dark"):
            for width in (360, 1280, 1920):
                self.browser.look(width, 900, scheme)
                for name in VIEWS:
                    self.open("#/" + name.lower())
                    self.browser.wait(lambda: self.browser.find("main h1") and "Loading" not in self.browser.text(),
                                      f"{name} does not load")
                    self.assertNotIn("no such page", self.browser.text())
                    too_wide = self.browser.run("return document.documentElement.scrollWidth - innerWidth")
                    self.assertLessEqual(too_wide, 0, f"{name} is too wide at {width}")
                    self.browser.shoot(f"{name.lower()}-{width}-{scheme}")

    def test_what_became_of_an_event_has_room_at_every_width(self):
        self.open()
        self.browser.wait_for_text("delivered to ops")
        for width in (360, 761, 800, 950, 1001, 1201, 1280):
            self.browser.look(width)
            room = self.browser.run("return document.querySelector('main .list .outcomes').getBoundingClientRect().width")
            self.assertGreater(room, 200, f"at {width}")
            cut = self.browser.run("""return [...document.querySelectorAll('main .list .when')]
                .filter((when) => when.scrollWidth > when.clientWidth).map((when) => when.innerText)""")
            self.assertEqual(cut, [], f"at {width}")

    def test_what_is_wrong_with_a_search_is_said_where_it_is_shown(self):
        self.expected += ["400"]
        self.open("#/live?search=nonsense:x")
        self.browser.wait_for_text("is no key of a search")
        self.browser.click("Config", "nav")
        self.browser.wait_for_text("Values that run")
        self.assertNotIn("is no key of a search", self.browser.text())

    def test_the_filter_says_what_the_address_says(self):
        self.open("#/config?q=ops")
        field = self.browser.wait(lambda: self.browser.find("main input[type=search]"), "there is no filter")[0]
        self.assertEqual(field.get_property("value"), "ops")
        self.browser.click("Config", "nav")
        self.browser.wait(lambda: field.get_property("value") == "", "the field stays")

    def test_a_rule_is_shown_as_it_is_written(self):
        self.open("#/rules")
        self.browser.wait_for_text("{status: unsuccessful, not: {agent: billing-eu}}", "{status: completed}", "whatever is left")

    def test_keys_are_enough(self):
        from selenium.webdriver.common.keys import Keys
        self.open()
        self.browser.wait_for_text("completed")
        self.browser.type("/")
        self.assertEqual(self.browser.run("return document.activeElement.tagName"), "INPUT")
        self.browser.type("status:busy", Keys.ENTER)
        self.browser.wait(lambda: "search=status" in self.browser.driver.current_url, "the search is not in the address")
        self.browser.wait(lambda: len(self.browser.find("main a.row")) == 1, "the search finds not one row")
        self.browser.type(Keys.ESCAPE)
        self.browser.type("j", Keys.ENTER)
        self.browser.wait(lambda: "#/event/" in self.browser.driver.current_url, "Enter opens nothing")
        self.browser.wait_for_text("What came")
        self.browser.type(Keys.ESCAPE)
        self.browser.wait(lambda: "#/live" in self.browser.driver.current_url, "Esc does not go back")

    def test_a_lost_connection_is_said_and_what_was_missed_comes_after_it(self):
        self.open()
        self.browser.wait_for_text("live", "completed")
        connected = self.browser.driver.execute_cdp_cmd
        connected("Network.enable", {})
        offline = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        self.expected += ["ERR_INTERNET_DISCONNECTED", "ERR_NETWORK_CHANGED"]
        connected("Network.emulateNetworkConditions", {"offline": True} | offline)
        self.router.post(sample("completed", id="00000000-0000-4000-8000-0000000000c1", agent_id="agent-that-was-missed"))
        connected("Network.emulateNetworkConditions", {"offline": False} | offline)
        self.browser.wait_for_text("agent-that-was-missed")


class SignIn(InspectorTest):
    admin = ('{listen: "127.0.0.1:0", token: {file: %(folder)s/admin_token}, '
             'tokens: [{name: reader, token: {file: %(folder)s/reader_token}, may: read}]}')
    tokens = {"admin_token": "the-token-of-the-router", "reader_token": "the-token-of-a-reader"}

    def setUp(self):
        super().setUp()
        self.expected += ["401"]
        self.browser.driver.delete_all_cookies()
        self.browser.driver.get(self.router.admin + "/healthz")
        self.browser.run("localStorage.clear(); sessionStorage.clear();")
        self.browser.driver.delete_all_cookies()

    def sign_in(self, token):
        from selenium.webdriver.common.keys import Keys
        self.browser.wait_for_text("Sign in")
        self.browser.wait(lambda: self.browser.run("return document.activeElement.id") == "token", "the field has no focus")
        self.browser.type(token, Keys.ENTER)

    def test_without_a_token_it_asks_for_one_and_shows_nothing(self):
        self.router.post(sample("completed", agent_id="agent-of-the-secret"))
        self.open()
        self.browser.wait_for_text("Sign in", "Token")
        self.assertNotIn("agent-of-the-secret", self.browser.text())
        self.browser.shoot("sign-in")

    def test_a_wrong_token_is_said_to_be_wrong_and_the_right_one_opens_the_page(self):
        self.router.post(sample("completed", id="00000000-0000-4000-8000-0000000000d1", agent_id="agent-of-the-secret"))
        self.open()
        self.sign_in("a-guess")
        self.browser.wait_for_text("not a token of this router")
        self.sign_in(self.tokens["admin_token"])
        self.browser.wait_for_text("agent-of-the-secret")
        kept = self.browser.run("return document.cookie + JSON.stringify(localStorage) + JSON.stringify(sessionStorage)")
        for token in self.tokens.values():
            self.assertNotIn(token, kept)
        self.assertNotIn("hookswitch=", kept, "a script can read the cookie")
        self.open()
        self.browser.wait_for_text("agent-of-the-secret")

    def test_a_link_is_followed_after_the_sign_in(self):
        self.open("#/sinks")
        self.sign_in(self.tokens["admin_token"])
        self.browser.wait_for_text("Sinks", "ops", "sales")
        self.assertIn("#/sinks", self.browser.driver.current_url)

    def test_a_reader_sees_everything_and_can_change_nothing(self):
        _, answer = self.router.post(sample("failed", id="00000000-0000-4000-8000-0000000000d2"))
        self.open(f"#/event/{answer['id']}")
        self.sign_in(self.tokens["reader_token"])
        self.browser.wait_for_text("What came")
        replay = self.browser.wait(lambda: [b for b in self.browser.find("main button") if "Replay" in b.text], "no replay")
        self.browser.wait(lambda: not replay[0].is_enabled(), "a reader may replay")


if __name__ == "__main__":
    harness.main()
