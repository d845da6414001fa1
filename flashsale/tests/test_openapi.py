"""The whole document of the API, tried by schemathesis: no 5xx, and no answer that is not documented.

REST is asked in this process, the gate over HTTP from a real process; each as nobody, as a shopper and as a
member of the staff. Data are made to fit the document and to break it, about objects that exist and others.
"""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.cache import cache
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.authtoken.models import Token
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi import checks

from accounts.models import User
from flashsale.models import SaleItem
from flashsale.tests import access
from flashsale.tests.access import BUYER, MERCHANDISER, Stage
from flashsale.tests.conftest import MakeSale
from flashsale.tests.gates import a_pass, running_gate
from shop.wsgi import application

pytestmark = pytest.mark.django_db(transaction=True)
EXAMPLES = 12
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
NOBODY = "nobody"
GATE = "/gate/"


@pytest.fixture(scope="module")
def gate() -> Iterator[str]:
    with running_gate() as address:
        yield address


@pytest.fixture
def stage(make_sale: MakeSale) -> Stage:
    cache.clear()
    return access.set_stage(make_sale)


@pytest.fixture
def rest() -> Any:
    return schemathesis.openapi.from_wsgi("/api/schema/?format=json", application)


def _operations(document: Any) -> dict[str, Any]:
    return {found.ok().label: found.ok() for found in document.get_all_operations()}


def _try_out(operation: Any, known: dict[str, Any], how: dict[str, Any]) -> set[int]:
    """Ask many times and return the statuses; raises FailureGroup for an answer that is not documented."""
    seen = set()
    modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    cases = st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in modes))

    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=cases, is_known=st.booleans())
    def ask(case: Any, is_known: bool) -> None:
        cache.clear()
        if is_known:
            named = {name: value for name, value in known.items() if f"{{{name}}}" in operation.path}
            case.path_parameters = {**(case.path_parameters or {}), **named}
        response = case.call(**how)
        case.validate_response(response, checks=CHECKS)
        seen.add(response.status_code)

    ask()
    return seen


def _known(stage: Stage, item: SaleItem, path: str) -> dict[str, Any]:
    number = item.variant.product_id if "catalogue" in path else item.sale_id
    order = str(stage.parts["order"]["public_id"])
    return {"id": number, "public_id": order, "sale": item.sale_id, "item": item.pk}


@pytest.mark.parametrize(
    ("role", "seen"), [(NOBODY, {200, 403, 404}), (BUYER, {200, 400, 404}), (MERCHANDISER, {200, 400, 404})]
)
def test_every_address_of_the_shop_answers_as_documented(
    role: str, seen: set[int], stage: Stage, rest: Any
) -> None:
    user = User.objects.filter(email=f"{role}@example.com").first()
    headers = {"Authorization": f"Token {Token.objects.get_or_create(user=user)[0]}"} if user else {}
    item, told = stage.rows["flashsale_sale"].items.get(), set()
    for operation in _operations(rest).values():
        if not operation.path.startswith(GATE):
            told |= _try_out(operation, _known(stage, item, operation.path), {"headers": headers})
    assert told >= seen


@pytest.mark.parametrize("role", [NOBODY, BUYER])
def test_every_address_of_the_gate_answers_as_documented(
    role: str, stage: Stage, rest: Any, gate: str
) -> None:
    user = User.objects.filter(email=f"{role}@example.com").first()
    item, told = stage.rows["flashsale_sale"].items.get(), {}
    headers = {"Authorization": f"Bearer {a_pass(item, user)}"} if user else {}
    document = schemathesis.openapi.from_dict(rest.raw_schema)
    for label, operation in _operations(document).items():
        if operation.path.startswith(GATE):
            how = {"base_url": gate, "headers": headers}
            told[label] = _try_out(operation, _known(stage, item, operation.path), how)
    assert told["GET /gate/clock"] == {200}
    assert told["GET /gate/sales/{sale}"] == {200, 404}
    assert (200 in told["POST /gate/sales/{sale}/items/{item}/attempt"]) is bool(user)


def test_an_answer_that_is_not_documented_is_found(stage: Stage, rest: Any) -> None:
    rest.raw_schema["paths"]["/api/sales/"]["get"]["responses"].pop("200")
    with pytest.raises(FailureGroup):
        _try_out(_operations(rest)["GET /api/sales/"], {}, {})
