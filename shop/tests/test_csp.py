"""What pages may run: nothing inline in the shop, nothing injected in the admin."""

import shutil
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from shop import csp

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def _policy(response: object) -> dict[str, str]:
    header: str = response["Content-Security-Policy"]  # type: ignore[index]
    return {part.split()[0]: part.strip() for part in header.split(";")}


@pytest.mark.parametrize("name", ["account_login", "account_signup", "account_reset_password", "catalogue"])
def test_shop_pages_allow_nothing_inline(client: Client, db: None, name: str) -> None:
    policy = _policy(client.get(reverse(name)))
    assert policy["script-src"] == "script-src 'self'"
    assert policy["style-src"] == "style-src 'self'"
    assert policy["frame-ancestors"] == "frame-ancestors 'none'"
    assert "unsafe" not in " ".join(policy.values())


def test_missing_pages_and_api_answers_carry_the_policy_too(client: Client, db: None) -> None:
    assert _policy(client.get("/nowhere/"))["script-src"] == "script-src 'self'"


def test_files_may_come_from_the_one_host_that_the_setting_names() -> None:
    policy = csp.pages("https://cdn.example.com/static/")
    assert policy["script-src"] == ["'self'", "https://cdn.example.com"]
    assert policy["form-action"] == csp.PAGES["form-action"]
    assert csp.pages("/static/") == csp.PAGES


def test_the_admin_evaluates_but_runs_no_inline_script(client: Client, db: None) -> None:
    policy = _policy(client.get(reverse("admin:login")))
    assert policy["script-src"] == "script-src 'self' 'unsafe-eval'"
    assert policy["style-src"] == "style-src 'self' 'unsafe-inline'"
    assert policy["form-action"] == "form-action 'self'"
    assert policy["object-src"] == "object-src 'none'"


def test_a_page_beside_the_admin_has_the_strict_policy(client: Client, db: None) -> None:
    assert "unsafe" not in client.get("/administration/")["Content-Security-Policy"]


@pytest.fixture
def admin_page(transactional_db: None, live_server: LiveServer) -> Iterator[Page]:
    """A page of a real browser in which a superuser is logged in."""
    if CHROMIUM is None:
        pytest.skip("There is no Chromium here.")
    client = Client()
    client.force_login(
        User.objects.create_superuser("admin@example.com", "a-lamp-by-the-field"),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=CHROMIUM) as browser:
        context = browser.new_context(base_url=live_server.url)
        context.add_cookies([cookie])  # type: ignore[list-item]
        yield context.new_page()


@pytest.mark.browser
def test_the_admin_works_in_a_browser_without_a_complaint(admin_page: Page) -> None:
    complaints: list[str] = []
    admin_page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    admin_page.on("pageerror", lambda error: complaints.append(str(error)))
    for path in ("/admin/", "/admin/accounts/user/", "/admin/accounts/user/add/", "/admin/auth/group/add/"):
        admin_page.goto(path)
        admin_page.wait_for_load_state("networkidle")
    assert complaints == []
    assert admin_page.evaluate("typeof Alpine") == "object"


@pytest.mark.browser
def test_a_script_injected_into_the_admin_does_not_run(admin_page: Page) -> None:
    admin_page.goto("/admin/")
    admin_page.evaluate(
        "const script = document.createElement('script'); script.textContent = 'window.stolen = 1';"
        "document.body.append(script)"
    )
    assert admin_page.evaluate("window.stolen") is None


@pytest.mark.browser
def test_the_pages_of_the_api_are_our_own_and_show_every_address(admin_page: Page) -> None:
    complaints: list[str] = []
    asked: list[str] = []
    admin_page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    admin_page.on("request", lambda request: asked.append(request.url))
    admin_page.goto("/api/docs/")
    admin_page.get_by_text("/api/catalogue/", exact=True).first.wait_for()
    assert complaints == []
    ours = admin_page.url.removesuffix("/api/docs/")
    assert [url for url in asked if not url.startswith((ours, "data:"))] == []
