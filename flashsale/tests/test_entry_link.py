"""The link by e-mail: asked for, sent over SMTP, opened elsewhere; good for one account and one sale."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.signing import TimestampSigner, b62_encode
from django.test import Client
from django.utils import timezone

from accounts.models import User
from flashsale import entry_link
from flashsale.models import SaleItem
from flashsale.tests.pages import address, change, enter, logged_in, words
from shop.orders import tasks
from shop.orders.models import OutboxMail
from shop.orders.tests.inbox import Inbox, receiving

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("uncounted")]
Make = Callable[..., SaleItem]
Crowd = Callable[[int], list[User]]
PASSWORD = "a-lamp-by-the-field"


@pytest.fixture
def inbox(settings: Any) -> Iterator[Inbox]:
    with receiving(settings) as found:
        yield found


@pytest.fixture
def item(make_sale: Make) -> SaleItem:
    found = make_sale()
    change(found.sale, captcha=True)
    return found


@pytest.fixture
def bea(db: None) -> User:
    return User.objects.create_user("bea@example.com", PASSWORD)


def is_in(client: Client) -> bool:
    return django_settings.PASS_COOKIE in client.cookies


def link_for(user: User, item: SaleItem) -> str:
    """Return the path of a link, as the mail has it."""
    return f"{address(item, 'enter')}?link={entry_link.make(user=user, sale=item.sale)}"


def press(client: Client, path: str) -> Any:
    """Open a link and press the one button of its page."""
    page = client.get(path).content.decode()
    token = page.partition('name="link" value="')[2].partition('"')[0]
    return client.post(path.partition("?")[0], {"link": token} if token else {})


def mailed_link(inbox: Inbox) -> str:
    """Return the path that stands in the newest mail."""
    text = inbox.mails[-1].get_payload()[0].get_payload(decode=True).decode()
    found = re.search(rf"{re.escape(django_settings.SHOP_URL)}(/sales/\S+)", text)
    assert found, text
    return found[1]


def test_a_link_is_mailed_and_lets_another_device_in(bea: User, item: SaleItem, inbox: Inbox) -> None:
    here = logged_in(bea)
    told = words(enter(here, item, way="link"))
    assert "A link is on its way to b•••@example.com." in told
    assert "Open it on the device with which you want to enter" in told
    assert inbox.mails == []  # the request itself sends nothing
    tasks.send_mail()
    assert inbox.mails[0]["To"] == "bea@example.com"
    assert inbox.mails[0]["Subject"] == f"Your link to enter {item.sale.title}"
    there = Client()
    path = mailed_link(inbox)
    told = words(there.get(path))
    assert "Log in to use your link" in told
    assert "It is for b•••@example.com" in told
    login = (
        there.get(path).content.decode().partition('class="button button-big" href="')[2].partition('"')[0]
    )
    entered = there.post(login, {"login": bea.email, "password": PASSWORD}, follow=True)
    assert "You may enter. One press" in words(entered)
    assert press(there, path).status_code == 302
    assert is_in(there)
    assert not is_in(here)


def test_the_link_alone_is_enough_and_looking_at_it_is_not(bea: User, item: SaleItem) -> None:
    client, path = logged_in(bea), link_for(bea, item)
    assert client.get(path).status_code == 200
    assert not is_in(client)
    assert press(client, path).status_code == 302
    assert is_in(client)


def test_a_link_may_be_pressed_again_and_on_every_device_of_its_account(bea: User, item: SaleItem) -> None:
    path = link_for(bea, item)
    for client in (logged_in(bea), logged_in(bea)):
        assert press(client, path).status_code == 302
        assert press(client, path).status_code == 302


def test_nobody_else_can_use_a_link(bea: User, item: SaleItem, shoppers: Crowd) -> None:
    rival, token = logged_in(shoppers(1)[0]), entry_link.make(user=bea, sale=item.sale)
    told = words(rival.get(link_for(bea, item)))
    assert "This link is for another account" in told
    assert "b•••@example.com" in told
    response = enter(rival, item, link=token)
    assert response.status_code == 200
    assert "This link has ended, or was made for another account." in words(response)
    assert not is_in(rival)


def test_a_link_of_another_sale_does_not_count(bea: User, item: SaleItem, make_sale: Make) -> None:
    other = make_sale()
    change(other.sale, captcha=True)
    client = logged_in(bea)
    assert enter(client, other, link=entry_link.make(user=bea, sale=item.sale)).status_code == 200
    assert not is_in(client)


def test_a_link_ends(bea: User, item: SaleItem, monkeypatch: pytest.MonkeyPatch) -> None:
    then = int((timezone.now() - entry_link.LIFE - timedelta(seconds=1)).timestamp())
    with monkeypatch.context() as patch:
        patch.setattr(TimestampSigner, "timestamp", lambda _self: b62_encode(then))
        path = link_for(bea, item)
    client = logged_in(bea)
    response = client.get(path)
    assert "This link has ended. Ask for a new one below, or choose another way." in words(response)
    assert 'name="link"' not in response.content.decode()
    assert enter(client, item, link=path.partition("link=")[2]).status_code == 200
    assert not is_in(client)


@pytest.mark.parametrize("link", ["nonsense", "1.1:1abcde:forged", "", "::"])
def test_a_link_that_the_shop_did_not_make_is_none(bea: User, item: SaleItem, link: str) -> None:
    client = logged_in(bea)
    assert enter(client, item, link=link).status_code == 200
    assert client.get(address(item, "enter"), {"link": link}).status_code == 200
    assert not is_in(client)
    assert Client().get(address(item, "enter"), {"link": link}).status_code == 302


def test_a_link_opens_no_door_that_is_shut(bea: User, item: SaleItem) -> None:
    change(item.sale, min_level=3)
    client = logged_in(bea)
    assert client.get(link_for(bea, item)).status_code == 403
    assert enter(client, item, link=entry_link.make(user=bea, sale=item.sale)).status_code == 403
    assert not is_in(client)


def test_asking_twice_at_once_sends_one_mail(bea: User, item: SaleItem) -> None:
    now = timezone.now()
    for seconds in (0, 1, 61):
        minute = now.replace(second=0) + timedelta(seconds=seconds)
        entry_link.send(user=bea, sale=item.sale, now=minute)
    assert OutboxMail.objects.filter(kind="entry_link").count() == 2


def test_links_have_a_limit_and_the_other_ways_stay_open(bea: User, item: SaleItem) -> None:
    change(item.sale, question="Which wood?", answers="Oak")
    client = logged_in(bea)
    told = [words(enter(client, item, way="link")) for _ in range(6)]
    assert all("A link is on its way" in one for one in told[:5])
    assert "A link is on its way" not in told[5]
    assert "The other ways stay open." in told[5]
    assert enter(client, item, answer="oak").status_code == 302


def test_asking_for_a_link_clears_nothing(bea: User, item: SaleItem) -> None:
    client = logged_in(bea)
    page = client.get(address(item, "enter")).content.decode()
    key = page.partition('name="captcha_key" value="')[2].partition('"')[0]
    answer = enter(client, item, way="link", captcha_key=key, captcha="half").content.decode()
    assert f'name="captcha_key" value="{key}"' in answer
    assert 'value="half"' in answer
