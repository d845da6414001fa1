"""One shopper's way into a sale, step by step, as a browser goes it."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

from django.urls import reverse

from bench import plain
from bench.browser import Browser, Page
from flashsale.models import Sale

KEY = re.compile(r'name="captcha_key" value="([^"]+)"')
PICTURE = '<img class="captcha" src="data:image/png;base64,'


class Shopper:
    """Goes one step at a time; reads the captcha's letters where the shop keeps them."""

    def __init__(self, sale: Sale, browser: Browser, beside: Browser, letters: Any) -> None:
        self._sale = sale.get_absolute_url()
        self._enter = reverse("sale-enter", args=[sale.slug])
        self._letters = letters
        self._form = Page(0, "", 0)
        self.browser, self._beside = browser, beside
        self.odd: list[str] = []

    async def sale(self) -> None:
        """Look at the sale."""
        self._note("sale", await self.browser.get(self._sale), 200)

    async def form(self) -> None:
        """Press the button that leads in; the page brings the captcha's picture along."""
        self._form = await self.browser.get(self._enter)
        self._note("form", self._form, 200)
        if PICTURE not in self._form.text:
            self.odd.append("form without a picture")

    async def answer(self) -> None:
        """Send the letters, the dearest of the ways: a row is taken from the database."""
        key = KEY.search(self._form.text)
        fields = {"csrfmiddlewaretoken": self._form.token()}
        fields |= {"captcha_key": key[1], "captcha": self._read(key[1])} if key else {}
        self._note("answer", await self.browser.post(self._enter, fields), 302)

    async def limit(self) -> None:
        """Ask for the plain view."""
        self._note("limit", await self._beside.get(f"/{plain.PATH}"), 200)

    def leave(self) -> None:
        """Hang up."""
        self.browser.close()
        self._beside.close()

    def _read(self, key: str) -> str:
        self._letters.execute("SELECT response FROM captcha_captchastore WHERE hashkey = %s", [key[:40]])
        row = self._letters.fetchone()
        return str(row[0]) if row else ""

    def _note(self, step: str, page: Page, status: int) -> None:
        if page.status != status:
            self.odd.append(f"{step} {page.status}")


STEPS: dict[str, Callable[[Shopper], Awaitable[None]]] = {
    "sale": Shopper.sale,
    "form": Shopper.form,
    "answer": Shopper.answer,
    "limit": Shopper.limit,
}
