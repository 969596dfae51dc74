"""Makes the pictures of README.md from what `hookswitch demo` shows: not a test, run by hand when the page looks different.
usage: pictures.py [FOLDER]"""

import base64
import pathlib
import sys

import harness

FOLDER = harness.SOURCE / "examples" / "pictures"
MOST_BYTES = 150_000  # of a picture: everybody who clones the tree gets them
SCHEMES = ("light", "dark")
MARGIN = 2  # pixels around a part of a page


class Pictures:
    def __init__(self, demo, browser, folder):
        self.browser = browser
        self.folder = folder
        self.inspector = demo.wait_for("the inspector").split()[-1]
        self.event = demo.wait_for("2 messages  http").split()[-1]  # of a call that has gone to both channels
        self.folder.mkdir(parents=True, exist_ok=True)

    def take(self, name, **options):
        shot = self.browser.driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"} | options)
        picture = base64.b64decode(shot["data"])
        if len(picture) > MOST_BYTES:
            raise SystemExit(f"{name} has {len(picture)} bytes, more than {MOST_BYTES}")
        (self.folder / f"{name}.png").write_bytes(picture)
        print(f"{self.folder / name}.png: {len(picture)} bytes")

    def take_part(self, name, element):
        x, y, width, height = self.browser.run(
            "const box = arguments[0].getBoundingClientRect();"
            "return [box.x + scrollX, box.y + scrollY, box.width, box.height];", element)
        clip = {"x": x - MARGIN, "y": y - MARGIN, "width": width + 2 * MARGIN, "height": height + 2 * MARGIN, "scale": 1}
        self.take(name, clip=clip, captureBeyondViewport=True)

    def take_calls(self):
        for scheme in SCHEMES:
            self.browser.look(1280, 615, scheme)
            self.browser.driver.get(self.inspector + "#/calls")
            self.browser.wait_for_text("live", "billing", "no-answer")
            width = self.browser.run("return document.documentElement.clientWidth")  # without the scrollbar
            self.take(f"inspector-{scheme}", clip={"x": 0, "y": 0, "width": width, "height": 615, "scale": 1})

    def take_message(self):
        self.browser.look(1640, 900)
        self.browser.driver.get(self.event)
        self.browser.click("Show", "main")
        messages = self.browser.wait(lambda: self.browser.find(".slack")[1:2], "there is no second message")
        assert "Bolna call ended: completed" in messages[0].text
        for scheme in SCHEMES:
            self.browser.look(1640, 900, scheme)
            self.take_part(f"slack-{scheme}", messages[0])


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    browser = harness.Browser()
    try:
        demo = harness.Program([harness.BUILD / "bin/hookswitch", "demo"], "stdout")
        try:
            pictures = Pictures(demo, browser, folder)
            pictures.take_calls()
            pictures.take_message()
        finally:
            demo.stop()
    finally:
        browser.quit()


if __name__ == "__main__":
    main()
