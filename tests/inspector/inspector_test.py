"""The tasks of TASKS.md, done by the clicks of a person, and no more of them than the page promises."""

import harness
from harness import InspectorTest, sample


def call(number, name="completed", **changes):
    return sample(name, id=f"00000000-0000-4000-8000-{number:012}", **changes)


class TaskTest(InspectorTest):
    def setUp(self):
        super().setUp()
        self.slack.behave(mode="ok")
        self.slack.behave(mode="ok", path="/services/T0/B0/ops")
        self.browser.clicks = 0

    def open(self, place=""):
        super().open(place)
        self.browser.wait(lambda: self.browser.find("main h1") and "Loading" not in self.browser.text(), "nothing loads")

    def clicked(self, most):
        self.assertLessEqual(self.browser.clicks, most)

    def post(self, body):
        status, answer = self.router.post(body)
        self.assertEqual(status, 200, answer)
        return answer["id"]

    def wait_for_row(self, *texts):
        """The row that has all of these texts."""
        return self.browser.wait(
            lambda: next((row for row in self.browser.find("main a.row") if all(text in row.text for text in texts)), None),
            f"no row says {texts}")

    def open_row(self, *texts):
        self.wait_for_row(*texts).click()
        self.browser.clicks += 1



class Tasks(TaskTest):
    def test_1_is_anything_wrong_right_now(self):
        self.open()
        self.browser.wait_for_text("live")
        self.assertFalse(self.browser.find(".banner")[0].is_displayed(), "all is well")
        self.router.api("sinks/ops/pause", {"because": "carrier maintenance"})
        self.addCleanup(self.router.api, "sinks/ops/resume", {})
        self.post(call(101, "failed"))
        self.open()
        self.browser.wait_for_text("ops", "carrier maintenance")
        self.assertTrue(self.browser.find(".banner")[0].is_displayed())
        self.clicked(0)

    def test_2_failed_calls_are_not_in_the_channel(self):
        self.post(call(201, "failed", agent_id="billing-us"))
        self.post(call(202, "failed", agent_id="billing-eu"))
        self.open()
        self.browser.search("agent:billing-eu status:failed after:12h")
        self.open_row("failed", "no rule wanted it")
        self.browser.wait_for_text("failures did not want it", 'agent is "billing-eu"')
        self.clicked(2)

    def test_3_did_the_call_reach_slack_and_what_did_the_message_say(self):
        self.post(call(301, "failed"))
        self.router.wait_until("events?call_id=00000000-0000-4000-8000-000000000301&details=true",
                               lambda answer: answer["events"][0]["outcomes"][0]["state"] == "delivered")
        self.router.wait_until("status", lambda answer: answer["search"]["behind"] == 0)
        self.open()
        self.browser.search("call:00000000-0000-4000-8000-000000000301")
        self.open_row("delivered to ops")
        self.browser.wait_for_text("ops delivered in")
        self.assertNotIn("Bolna call ended: failed", self.browser.text(), "it holds what callers said")
        self.browser.click("Show", "main")
        self.browser.wait_for_text("As Slack shows it", "Bolna call ended: failed")
        self.clicked(3)

    def test_4_the_platform_says_that_it_posts_but_no_event_arrives(self):
        self.router.post(call(401), **{"X-Webhook-Secret": "a-guess"})
        self.router.post("{\"truncated")
        self.open()
        self.browser.wait_for_text("refused 401", "refused 400")
        self.browser.click("Sources", "nav")
        self.browser.wait_for_text("2 requests refused", "the JSON ends too early", "secret is missing or wrong", "127.0.0.1")
        self.clicked(1)

    def test_5_which_rule_keeps_an_agents_calls_out(self):
        self.post(call(501, "in-progress", agent_id="silent-agent"))
        self.open()
        self.browser.search("agent:silent-agent")
        self.open_row("silent-agent")
        self.browser.wait_for_text("failures did not want it", "answered did not want it", 'status is "in-progress"')
        self.clicked(2)

    def test_6_send_again_what_was_lost_and_nothing_else(self):
        self.slack.behave(mode="status", status=400, word="invalid_payload", path="/services/T0/B0/ops")
        for number in (601, 602):
            self.post(call(number, "failed"))
        self.router.wait_until("deliveries?state=dead", lambda answer: len(answer["deliveries"]) == 2)
        self.slack.behave(mode="ok", path="/services/T0/B0/ops")
        self.open()
        self.browser.wait_for_text("dead deliveries")
        self.browser.click("Sinks", "nav")
        self.browser.click("Replay 2 dead", "main")
        self.browser.wait_for_text("2 deliveries match", "not delivered (dead)")
        self.browser.click("Send 2 deliveries again", "dialog[open]")
        replayed = self.router.wait_until("deliveries?sink=ops&state=delivered&call_id=00000000-0000-4000-8000-000000000601",
                                          lambda answer: len(answer["deliveries"]) == 1)
        self.assertTrue(replayed["deliveries"][0]["is_replay"])
        self.router.wait_until("deliveries?state=dead", lambda answer: answer["deliveries"] == [])
        self.assertEqual(self.router.api("actions")["actions"][0]["action"], "replay")
        self.clicked(4)

    def test_7_pause_for_maintenance_and_resume(self):
        self.open()
        self.browser.click("Sinks", "nav")
        self.browser.click("Pause", "main")
        self.browser.wait(lambda: self.browser.find("dialog[open] input"), "it does not ask")
        self.browser.find("dialog[open] input")[0].send_keys("carrier maintenance")
        self.browser.click("18:00", "dialog[open]")
        self.browser.wait_for_text("paused", "carrier maintenance")
        self.post(call(701, "failed"))
        paused = next(sink for sink in self.router.api("sinks")["sinks"] if sink["state"] == "paused")
        self.assertRegex(paused["until"], "T18:00:00Z$")
        self.browser.click("Resume", "main")
        self.browser.click("Send 1 delivery", "dialog[open]")
        self.router.wait_until("sinks", lambda answer: all(sink["state"] != "paused" for sink in answer["sinks"]))
        self.router.wait_until("actions?limit=2",
                               lambda answer: [action["action"] for action in answer["actions"]] == ["resume", "pause"])
        self.clicked(5)

    def test_8_what_happened_in_a_call_from_ringing_to_the_end(self):
        for name in ("initiated", "ringing", "in-progress", "completed"):
            self.post(call(801, name))
        self.open()
        self.browser.search("call:00000000-0000-4000-8000-000000000801")
        self.open_row("completed")
        self.browser.wait_for_text("Its call", "4 events")
        side = self.browser.find("aside.side")[0].text
        places = [side.index(name) for name in ("initiated", "ringing", "in-progress", "completed")]
        self.assertEqual(places, sorted(places))
        self.clicked(2)

    def test_10_what_would_happen_on_a_sunday_evening(self):
        self.open()
        self.browser.click("Try", "nav")
        payload = self.browser.wait(lambda: self.browser.find("main textarea"), "there is no field")[0]
        payload.send_keys(harness.json.dumps(call(1001)))
        self.browser.click("Sunday 20:00", "main")
        self.browser.wait_for_text("Sunday", "2 messages", "ops (rule answered)", "failures does not want it")
        self.browser.click("Save as a test case", "main")
        self.browser.wait(lambda: any(word in self.browser.text() for word in ("expect: [", "expect:")), "there is no case")
        self.clicked(3)

    def test_12_was_my_reload_applied_and_where_does_a_value_come_from(self):
        status, answer = self.router.reload_with("give_up_after: 1h", "give_up_after: 2h")
        self.assertEqual(status, 200, answer)
        self.addCleanup(self.router.reload_with, "give_up_after: 2h", "give_up_after: 1h")
        self.open()
        self.browser.click("Config", "nav")
        self.browser.wait_for_text("applied", "sinks.ops.retry.give_up_after", "hookswitch.yaml:")
        row = next(row.text for row in self.browser.find("main tr") if "sinks.ops.retry.give_up_after" in row.text)
        self.assertRegex(row, r"2h\s+\S*hookswitch\.yaml:\d+:\d+")
        self.clicked(1)

    def test_12_a_reload_that_failed_says_where_and_why(self):
        status, _ = self.router.reload_with("give_up_after: 1h", "give_up_afterr: 1h")
        self.assertEqual(status, 422)
        self.addCleanup(self.router.reload_with, "give_up_afterr: 1h", "give_up_after: 1h")
        self.open()
        self.browser.wait_for_text("the last reload failed", "give_up_afterr")
        self.browser.click("Config", "nav")
        self.browser.wait_for_text("hookswitch.yaml:", "give_up_afterr", 'did you mean "give_up_after"')
        self.clicked(1)

    def test_9_what_would_become_of_yesterdays_call_by_the_rules_of_now(self):
        self.post(call(901))
        status, answer = self.router.reload_with("send: [ops, sales]", "send: [sales]")
        self.assertEqual(status, 200, answer)
        self.addCleanup(self.router.reload_with, "send: [sales]", "send: [ops, sales]")
        self.open()
        self.browser.search("call:00000000-0000-4000-8000-000000000901")
        self.open_row("completed")
        self.browser.wait_for_text("Which rules", "Now: it wants it and sends it to sales")
        self.assertEqual(len(self.browser.find("main .now")), 1, "only what differs is marked")
        self.clicked(2)


class Masked(TaskTest):
    bodies = "masked"

    def test_11_the_transcript_and_who_has_looked_at_it(self):
        event = self.post(call(1101, transcript="assistant: Maya from Northwind Clinic\nuser: " + "I see. " * 400))
        self.router.wait_until(f"events/{event}", lambda answer: answer["deliveries"][0]["state"] == "delivered")
        self.open()
        self.open_row("completed")
        self.browser.wait_for_text("What came")
        self.assertNotIn("Maya from Northwind Clinic", self.browser.text())
        self.browser.click("Show for this event", "main")
        self.browser.wait_for_text("Maya from Northwind Clinic")
        self.browser.click("Actions", "nav")
        self.browser.wait_for_text("looked at")
        self.assertIn(event[-6:], self.browser.text())
        self.clicked(3)

    def test_a_message_that_was_not_kept_whole_is_shown_when_asked_for(self):
        event = self.post(call(1102, transcript="assistant: Maya from Northwind Clinic\nuser: " + "I see. " * 400))
        self.router.wait_until(f"events/{event}", lambda answer: answer["deliveries"][0]["state"] == "delivered")
        self.open(f"#/event/{event}")
        self.browser.click("Show for this event", "main")
        self.browser.click("Show the message", "main")
        self.browser.wait_for_text("As Slack shows it", "as the current config makes it")
        kinds = [action["target"].split("/")[0] for action in self.router.api("actions?limit=2")["actions"]]
        self.assertEqual(kinds, ["deliveries", "events"])


if __name__ == "__main__":
    harness.main()
