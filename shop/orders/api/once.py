"""Writing calls: each takes an `Idempotency-Key`, and each refusal is a status and a sentence."""

from collections.abc import Callable

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from shop.orders import idempotency
from shop.orders.errors import KeyReused, Refused
from shop.orders.idempotency import Answer, Key

HEADER = "Idempotency-Key"
LONGEST = 100
REPEATED = "Idempotency-Replayed"


def parameter(*, required: bool = False) -> OpenApiParameter:
    """Describe the header for the documentation."""
    return OpenApiParameter(
        HEADER,
        OpenApiTypes.STR,
        OpenApiParameter.HEADER,
        required=required,
        description=(
            "A text of your own, at most 100 characters, new for each request that you mean. A repeat within "
            "24 hours gets the first answer again (with the header Idempotency-Replayed); with another body "
            "it gets 422, and 409 while the first still runs."
        ),
    )


def key_of(request: Request) -> Key | None:
    """Return the key of a request (who asks, his header, what he asks); None without the header.

    Read it before the parsed data: the body can be read only once.
    """
    sequence = request.headers.get(HEADER, "")
    if len(sequence) > LONGEST:
        raise ValidationError({HEADER: [f"Use at most {LONGEST} characters."]})
    if not sequence:
        return None
    asked = idempotency.fingerprint(
        (request.method or "").encode(), request.get_full_path().encode(), request._request.body
    )
    return Key(source=f"api:{request.user.pk}", sequence=sequence, fingerprint=asked)


def write(key: Key | None, act: Callable[[], Answer]) -> Response:
    """Do `act`, once if there is a key, and answer."""
    return respond(lambda: idempotency.once(key=key, act=act, wait=False) if key else act())


def respond(act: Callable[[], Answer]) -> Response:
    """Answer with what `act` says, or with the sentence of what it refused."""
    try:
        answer = act()
    except KeyReused as trouble:
        return Response({"detail": trouble.sentence}, status=status.HTTP_422_UNPROCESSABLE_ENTITY)
    except Refused as trouble:
        return Response({"detail": trouble.sentence}, status=status.HTTP_409_CONFLICT)
    headers = {REPEATED: "true"} if answer.repeated else None
    return Response(answer.body, status=answer.status, headers=headers)


def required(key: Key | None) -> Key:
    """Return the key, or ask for it: an order without one could be placed twice."""
    if key is None:
        raise ValidationError({HEADER: ["Send this header: it keeps a repeat from ordering twice."]})
    return key
