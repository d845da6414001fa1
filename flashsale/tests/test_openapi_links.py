"""Answers that lead on: schemathesis follows the links of the document from one request to the next.

The shop is a live server and the gate a real process, so a chain goes from the list of sales to an attempt,
and from the list of orders to an order, its payment and its end. What no link gives is drawn by schemathesis.
"""

from collections import Counter
from typing import Any

import pytest
import schemathesis
from django.core.cache import cache
from hypothesis import HealthCheck, Phase, settings
from pytest_django.live_server_helper import LiveServer
from rest_framework.authtoken.models import Token
from schemathesis import Case
from schemathesis.generation.stateful.state_machine import APIStateMachine, StepInput, StepOutput

from accounts.models import User
from flashsale.models import SaleItem
from flashsale.tests import access
from flashsale.tests.access import BUYER, Stage
from flashsale.tests.conftest import MakeSale
from flashsale.tests.gates import a_pass, running_gate
from flashsale.tests.test_openapi import CHECKS, GATE

pytestmark = pytest.mark.django_db(transaction=True)
CHAINS, LENGTH = 40, 6
LED_ON = {
    ("GET /api/orders/", "GET /api/orders/{public_id}/"),
    ("GET /api/orders/{public_id}/", "POST /api/orders/{public_id}/pay/"),
    ("GET /api/orders/{public_id}/", "POST /api/orders/{public_id}/cancel/"),
    ("GET /api/sales/", "GET /api/sales/{id}/"),
    ("GET /api/sales/", "GET /gate/sales/{sale}"),
    ("GET /api/sales/", "POST /gate/sales/{sale}/items/{item}/attempt"),
}


def _machine(document: dict[str, Any], where: dict[bool, dict[str, Any]]) -> Any:
    """Follow the document's links; `where` says how the gate (True) and the shop (False) are asked."""
    base: type[APIStateMachine] = schemathesis.openapi.from_dict(document).as_state_machine()

    class Chain(base):  # type: ignore[valid-type, misc]
        led_on: Counter[tuple[str, str]] = Counter()
        statuses: Counter[int] = Counter()

        def setup(self) -> None:
            cache.clear()

        def step(self, input: StepInput) -> StepOutput:  # noqa: A002 - schemathesis's name
            output: StepOutput = super().step(input)
            if input.transition is not None and input.applied_parameters:
                source, _status, target = input.transition.id.split(" -> ")
                self.led_on[source, target] += 1
            self.statuses[output.response.status_code] += 1
            return output

        def call(self, case: Case[Any], **_: Any) -> Any:
            return case.call(**where[case.operation.path.startswith(GATE)])

        def validate_response(self, response: Any, case: Case[Any], **_: Any) -> None:
            case.validate_response(response, checks=CHECKS)

    return Chain


def test_what_is_answered_leads_on_as_documented(live_server: LiveServer, make_sale: MakeSale) -> None:
    stage: Stage = access.set_stage(make_sale)
    item: SaleItem = stage.rows["flashsale_sale"].items.get()
    buyer = User.objects.get(email=f"{BUYER}@example.com")
    token = Token.objects.get_or_create(user=buyer)[0]
    shop = schemathesis.openapi.from_url(f"{live_server.url}/api/schema/?format=json")
    with running_gate() as gate:
        chain = _machine(
            shop.raw_schema,
            {
                True: {"base_url": gate, "headers": {"Authorization": f"Bearer {a_pass(item, buyer)}"}},
                False: {"base_url": live_server.url, "headers": {"Authorization": f"Token {token}"}},
            },
        )
        chain.run(
            settings=settings(
                max_examples=CHAINS,
                stateful_step_count=LENGTH,
                deadline=None,
                database=None,
                phases=[Phase.generate],
                derandomize=True,
                suppress_health_check=list(HealthCheck),
            )
        )
    assert set(chain.led_on) >= LED_ON, chain.led_on
    assert {200, 404} <= set(chain.statuses)
