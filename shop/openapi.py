"""What every address of the API may answer, written into its document: views say only what is their own."""

from typing import Any

Document = dict[str, Any]
METHODS = frozenset({"get", "post", "put", "patch", "delete"})
OBJECT = {"application/json": {"schema": {"type": "object"}}}
TROUBLE = {"description": "Why not, in a sentence or by the field.", "content": OBJECT}
RETRY = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
TOO_MANY = {**TROUBLE, "headers": RETRY}
NOT_READY = {**TOO_MANY, "description": "A store is away: come back in a moment."}

ORDER = {"public_id": "$response.body#/id"}
FIRST_ORDER = {"public_id": "$response.body#/results/0/id"}
LINKS = {
    ("/api/catalogue/", "get"): {"catalogue_retrieve": {"id": "$response.body#/results/0/id"}},
    ("/api/orders/", "get"): {"orders_retrieve": FIRST_ORDER},
    ("/api/orders/{public_id}/", "get"): {"orders_cancel_create": ORDER, "orders_pay_create": ORDER},
    ("/api/checkout/", "post"): {"orders_retrieve": ORDER, "orders_pay_create": ORDER},
    ("/api/sales/", "get"): {"sales_retrieve": {"id": "$response.body#/results/0/id"}},
}
"""Where an answer leads: to which operation, and which of its parameters stands where in the answer."""


def add_common_answers(result: Document, **_: Any) -> Document:
    """Add to each operation what its parameters, its body and its limits make it answer."""
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            if method in METHODS:
                common = _common(path, operation)
                operation["responses"] = common | operation["responses"]
    add_links(result, LINKS)
    return result


def add_links(result: Document, links: dict[tuple[str, str], dict[str, dict[str, str]]]) -> None:
    """Write into the answer that tells of something what can be asked with it."""
    for (path, method), targets in links.items():
        responses = result["paths"][path][method]["responses"]
        told = responses["201" if "201" in responses else "200"]
        told["links"] = told.get("links", {}) | {
            name: {"operationId": name, "parameters": parameters} for name, parameters in targets.items()
        }


def _common(path: str, operation: Document) -> Document:
    places = {parameter["in"] for parameter in operation.get("parameters", ())}
    common = {"406": TROUBLE, "429": TOO_MANY, "503": NOT_READY}
    if "{" in path or "query" in places or "requestBody" in operation:
        common["404"] = TROUBLE  # no such object, named anywhere, or no such page of a list
    if places & {"query", "header"} or "requestBody" in operation:
        common["400"] = TROUBLE
    if "requestBody" in operation:
        common |= {"415": TROUBLE, "422": TROUBLE}
    if {} not in operation.get("security", ({},)):
        common |= {"401": TROUBLE, "403": TROUBLE}
    return common
