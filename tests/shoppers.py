"""Shoppers for tests in a browser: what they do, one act a function."""

import re
import time

from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect

from shop.up.state import ROOT
from tests.running import Shop

PICTURES = ROOT / ".data" / "artefacts"
PASSWORD = "a-Long-pass-phrase-9"
PATIENCE = 30_000
"""Milliseconds a page may take; the machine of a test may be busy with much else."""
DESK, PHONE = ViewportSize(width=1280, height=900), ViewportSize(width=360, height=740)
HOME = {"country": "DE", "line1": "Ringbahnstraße 1", "postcode": "12051", "city": "Berlin"}


class Shopper:
    """A person with a browser of their own."""

    def __init__(self, chromium: Browser, shop: Shop, name: str, *, has_script: bool = True) -> None:
        context = chromium.new_context(
            base_url=shop.url, viewport=DESK, java_script_enabled=has_script, reduced_motion="reduce"
        )
        context.set_default_timeout(PATIENCE)
        self.name, self.email = name, f"{name.lower()}@example.com"
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self.page.on(
            "console", lambda said: self.complaints.append(said.text) if said.type == "error" else None
        )
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self._pictures = 0

    def sign_up(self) -> None:
        """Make an account, and be logged in."""
        self.page.goto("/accounts/signup/?next=/sales/")
        self.page.fill("input[name=email]", self.email)
        self.page.fill("input[name=password1]", PASSWORD)
        self.page.get_by_role("button", name="Create an account").click()
        expect(self.page).to_have_url(re.compile("/sales/$"))

    def enter(self, sale: str) -> None:
        """Pass the check of a sale and arrive at its page."""
        self.page.goto(f"/sales/{sale}/enter/")
        self.pass_the_check()
        expect(self.page).to_have_url(re.compile(f"/sales/{sale}/$"))

    def pass_the_check(self) -> None:
        """Answer the captcha in the one way that only a shop under test understands."""
        self.page.fill("input[name=captcha]", "passed")
        self.page.get_by_role("button", name="Enter the sale").click()
        expect(self.page.get_by_role("heading", level=1)).not_to_have_text("Enter the sale")

    def press(self) -> None:
        """Press the button of the sale's only item."""
        self.page.locator("[data-buy]").click()

    def pay(self) -> None:
        """From the reservation to the paid order, by way of the trial bank."""
        self.page.get_by_role("link", name=re.compile("pay USD")).click()
        self.page.fill("[name=full_name]", self.name)
        self.page.select_option("[name=country]", HOME["country"])
        for field in ("line1", "postcode", "city"):
            self.page.fill(f"[name={field}]", HOME[field])
        self.look("address")
        self.page.get_by_role("button", name="Go on to pay").click()
        self.look("pay")
        self.page.get_by_role("button", name=re.compile("^Pay USD")).click()
        self.look("bank")
        self.page.get_by_role("button", name=re.compile("^Pay USD")).click()
        expect(self.page.get_by_text("Paid.", exact=True)).to_be_visible()
        self.look("paid")

    def read_mail(self, subject: str) -> str:
        """Open the newest mail to this shopper with such a subject, once it was sent, and return its text."""
        rows = self.page.get_by_role("row").filter(has_text=self.email).filter(has_text=subject)
        self.reload_until("/dev/mail/", rows.filter(has_text="Sent").first)
        rows.first.get_by_role("link").click()
        expect(self.page.get_by_role("heading", level=1)).to_contain_text(subject)
        self.look("mail")
        return self.page.locator("main").inner_text()

    def reload_until(self, address: str, wanted: Locator) -> None:
        """Look at a page again and again until it shows something."""
        deadline = time.monotonic() + PATIENCE / 1000
        self.page.goto(address)
        while not wanted.is_visible() and time.monotonic() < deadline:
            time.sleep(0.5)
            self.page.goto(address)
        expect(wanted).to_be_visible()

    def look(self, at: str) -> None:
        """Keep a picture of the page as it is on a desk, and as it is on a phone."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        self._pictures += 1
        for size, device in ((PHONE, "phone"), (DESK, "desk")):
            self.page.set_viewport_size(size)
            name = f"story-{self.name.lower()}-{self._pictures:02}-{at}-{device}.png"
            self.page.screenshot(path=PICTURES / name, full_page=True)
