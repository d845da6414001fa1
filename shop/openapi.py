"""What every address of the API may answer, written into its document: views say only what is their own."""

from typing import Any

Document = dict[str, Any]
METHODS = frozenset({"get", "post", "put", "patch", "delete"})
OBJECT = {"application/json": {"schema": {"type": "object"}}}
TROUBLE = {"description": "Why not, in a sentence or by the field.", "content": OBJECT}
RETRY = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
TOO_MANY = {**TROUBLE, "headers": RETRY}
NOT_READY = {**TOO_MANY, "description": "A store is away: come back in a moment."}


def add_common_answers(result: Document, **_: Any) -> Document:
    """Add to each operation what its parameters, its body and its limits make it answer."""
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            if method in METHODS:
                common = _common(path, operation)
                operation["responses"] = common | operation["responses"]
    return result


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
