"""The ways to prove at the entry that one is human: any one is enough, none is lost by a wrong one."""

import re
from collections.abc import Callable

import pytest
from captcha.models import CaptchaStore
from django.conf import settings as django_settings
from django.test import Client

from accounts.models import User
from flashsale import questions
from flashsale.models import SaleItem
from flashsale.tests.pages import address, change, enter, logged_in, right_letters, words
from shop.catalogue.models import Category, Product, Variant

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("uncounted")]
Make = Callable[..., SaleItem]
Crowd = Callable[[int], list[User]]


@pytest.fixture
def item(make_sale: Make) -> SaleItem:
    """A sale that asks for letters or for the wood."""
    found = make_sale(question="Which wood?", answers="Oak\nOak wood\n")
    change(found.sale, captcha=True)
    return found


@pytest.fixture
def as_bea(shoppers: Crowd) -> Client:
    return logged_in(shoppers(1)[0])


def is_in(client: Client) -> bool:
    return django_settings.PASS_COOKIE in client.cookies


def body(response: object) -> str:
    return response.content.decode()  # type: ignore[attr-defined, no-any-return]


def challenge_of(page: str) -> str:
    return page.split('name="captcha_key" value="')[1].split('"', maxsplit=1)[0]


def test_all_four_ways_are_on_the_page_and_no_clock(as_bea: Client, item: SaleItem) -> None:
    response = as_bea.get(address(item, "enter"))
    page, told = body(response), words(response)
    assert '<img class="captcha" src="/accounts/captcha/' in page
    assert "<audio controls" in page
    assert "Which wood?" in told
    assert "Send me a link" in told
    assert "any one is enough. There is no time limit here." in told
    assert "You have ten tries in five minutes" in told
    assert 'role="timer"' not in page
    assert "http-equiv" not in page
    assert "Refresh" not in response.headers


@pytest.mark.parametrize("door", ["login", "signup"])
def test_login_and_sign_up_ask_for_none_of_it(client: Client, door: str, item: SaleItem) -> None:
    page = body(client.get(f"/accounts/{door}/", {"next": address(item, "enter")}))
    assert 'class="captcha"' not in page
    assert "<audio" not in page
    assert "Which wood?" not in page


def test_the_letters_alone_are_enough(as_bea: Client, item: SaleItem) -> None:
    assert enter(as_bea, item, **right_letters(as_bea, item)).status_code == 302
    assert is_in(as_bea)


@pytest.mark.parametrize("answer", ["oak", "  OAK   wood "])
def test_the_answer_alone_is_enough_in_any_capitals(as_bea: Client, item: SaleItem, answer: str) -> None:
    assert enter(as_bea, item, answer=answer).status_code == 302
    assert is_in(as_bea)


def test_a_right_way_counts_whatever_stands_in_the_others(item: SaleItem, shoppers: Crowd) -> None:
    ann, bea = (logged_in(user) for user in shoppers(2))
    assert enter(ann, item, answer="beech", **right_letters(ann, item)).status_code == 302
    wrong = right_letters(bea, item) | {"captcha": "wrong"}
    wrong["captcha"] = "far more letters than any picture has"
    assert enter(bea, item, answer="oak", **wrong).status_code == 302
    assert CaptchaStore.objects.filter(hashkey=wrong["captcha_key"][:40]).exists()


def test_nothing_at_all_is_not_enough(as_bea: Client, item: SaleItem) -> None:
    response = enter(as_bea, item)
    assert "Type the letters, answer the question, or ask for a link" in words(response)
    assert "<title>Error:" in body(response)
    assert not is_in(as_bea)


def test_wrong_letters_leave_the_answer_and_bring_new_ones(as_bea: Client, item: SaleItem) -> None:
    given = right_letters(as_bea, item)
    page = body(enter(as_bea, item, captcha_key=given["captcha_key"], captcha="wrong", answer="beech"))
    assert "These were other letters." in page
    assert 'value="beech"' in page
    assert 'value="wrong"' not in page
    assert challenge_of(page) != given["captcha_key"]
    assert not is_in(as_bea)


def test_a_wrong_answer_leaves_the_letters_that_nobody_tried(as_bea: Client, item: SaleItem) -> None:
    given = right_letters(as_bea, item)
    page = body(enter(as_bea, item, captcha_key=given["captcha_key"], answer="beech"))
    assert "This is not the answer." in page
    assert 'value="beech"' in page
    assert challenge_of(page) == given["captcha_key"]
    assert f'src="/accounts/captcha/{given["captcha_key"]}.png"' in page
    assert enter(as_bea, item, **given).status_code == 302


def test_a_new_challenge_is_said_and_costs_no_try(as_bea: Client, item: SaleItem) -> None:
    given = right_letters(as_bea, item)
    for _ in range(12):
        response = enter(
            as_bea, item, way="new", answer="oak", captcha="half", captcha_key=given["captcha_key"]
        )
        assert "New challenge loaded." in words(response)
    page = body(response)
    assert challenge_of(page) != given["captcha_key"]
    assert 'value="oak"' in page
    assert 'value="half"' not in page
    assert "<title>Error:" not in page
    assert enter(as_bea, item, answer="oak").status_code == 302


def test_new_challenges_have_a_limit_too(as_bea: Client, item: SaleItem) -> None:
    answers = [enter(as_bea, item, way="new").status_code for _ in range(31)]
    assert answers == [200] * 30 + [429]


def test_the_tries_left_are_told(as_bea: Client, item: SaleItem) -> None:
    told = [words(enter(as_bea, item, answer="beech")) for _ in range(10)]
    assert "You have 9 tries left." in told[0]
    assert "You have 1 try left." in told[8]
    assert re.search(
        r"This was the last try for now; the next one is possible at \d\d:\d\d:\d\d UTC", told[9]
    )
    assert enter(as_bea, item, answer="oak").status_code == 429


def test_a_sale_with_a_question_and_no_captcha_shows_no_letters(as_bea: Client, make_sale: Make) -> None:
    asked = make_sale(question="Which wood?", answers="Oak")
    response = as_bea.get(address(asked, "enter"))
    assert 'class="captcha"' not in body(response)
    assert "Send me a link" in words(response)
    assert enter(as_bea, asked, answer="beech").status_code == 200
    assert enter(as_bea, asked, answer="oak").status_code == 302


def test_a_sale_without_a_check_asks_for_one_press(as_bea: Client, make_sale: Make) -> None:
    free = make_sale()
    assert "One press, and your pass is in this browser." in words(as_bea.get(address(free, "enter")))
    assert enter(as_bea, free, way="link").status_code == 302


def furnish(item: SaleItem) -> Product:
    """Give the product of a sale what a catalogue tells."""
    product = item.variant.product
    product.category = Category.objects.create(slug="lights", name="Lights & Lamps")
    product.vendor, product.option_names = "Field", ["Colour"]
    product.save()
    Variant.objects.filter(pk=item.variant_id).update(options=["Sand"])
    return product


def test_without_a_question_of_its_own_a_sale_asks_what_the_catalogue_tells(make_sale: Make) -> None:
    item = make_sale()
    change(item.sale, captcha=True)
    title = furnish(item).title
    asked = {question.text: question for question in questions.of(item.sale)}
    assert list(asked) == [
        f"In which part of the catalogue is {title}?",
        f"Which brand makes {title}?",
        f"Which colour of {title} is in this sale?",
    ]
    right = [
        question.is_answer(answer)
        for question, answer in zip(asked.values(), ("lights &  LAMPS", "field", "sand"), strict=True)
    ]
    assert right == [True, True, True]
    assert not any(question.is_answer(wrong) for question in asked.values() for wrong in ("", "oak"))


def test_what_the_catalogue_tells_lets_in_and_another_is_asked_for(as_bea: Client, make_sale: Make) -> None:
    item = make_sale()
    change(item.sale, captcha=True)
    furnish(item)
    texts = [question.text for question in questions.of(item.sale)]
    told = words(enter(as_bea, item, way="new", asked="0"))
    assert texts[1] in told
    assert texts[0] not in told
    assert texts[1] in words(enter(as_bea, item, asked="1", answer="Sand"))
    assert enter(as_bea, item, asked="1", answer="Field").status_code == 302


def test_two_variants_are_both_an_answer(make_sale: Make, make_variant: Callable[..., Variant]) -> None:
    item = make_sale()
    change(item.sale, captcha=True)
    product = furnish(item)
    other = Variant.objects.create(product=product, sku="OTHER", price=9000, stock=10, options=["Night"])
    SaleItem.objects.create(sale=item.sale, variant=other, price=4900, quantity=1)
    colour = questions.of(item.sale)[2]
    assert [colour.is_answer(answer) for answer in ("Sand", "night", "Field")] == [True, True, False]


@pytest.mark.parametrize("asked", ["", "-1", "99999999999", "x"])
def test_a_question_that_does_not_exist_is_another_one(as_bea: Client, item: SaleItem, asked: str) -> None:
    assert enter(as_bea, item, asked=asked, answer="oak").status_code == 302


def test_what_nobody_can_look_up_is_not_asked(as_bea: Client, make_sale: Make) -> None:
    item = make_sale()
    change(item.sale, captcha=True)
    product = furnish(item)
    product.published = False
    product.save()
    assert questions.of(item.sale) == []
    told = words(as_bea.get(address(item, "enter")))
    assert "A question about the product" not in told
    assert "Send me a link" in told
