"""What the gate reads of a request, and nothing else: method, path, host, origin, pass."""

from collections.abc import Iterable

from django.http.request import split_domain_port, validate_host

KNOWN_HOSTS_AT_MOST = 1000


class Hosts:
    """Checks the Host header against ALLOWED_HOSTS; remembers what it has found, within bounds."""

    def __init__(self, allowed: Iterable[str]) -> None:
        self._allowed = list(allowed)
        self._known: dict[bytes, bool] = {}

    def knows(self, host: bytes) -> bool:
        """Whether this host is ours."""
        known = self._known.get(host)
        if known is None:
            if len(self._known) >= KNOWN_HOSTS_AT_MOST:
                self._known.clear()
            domain, _ = split_domain_port(host.decode("latin-1"))
            known = self._known[host] = bool(domain) and validate_host(domain, self._allowed)
        return known


def found_pass(headers: dict[bytes, bytes], cookie: bytes) -> bytes | None:
    """Find the pass: `Authorization: Bearer ...` first, else the cookie that begins with `cookie`.

    A browser sends the cookie by itself, whoever asks it to: it counts only from a page of ours.
    """
    authorization = headers.get(b"authorization")
    if authorization is not None:
        scheme, _, token = authorization.partition(b" ")
        return token.strip() if scheme == b"Bearer" else None
    for part in headers.get(b"cookie", b"").split(b";"):
        if (part := part.lstrip()).startswith(cookie):
            return part[len(cookie) :] if is_same_origin(headers) else None
    return None


def is_same_origin(headers: dict[bytes, bytes]) -> bool:
    """Whether a page of ours sent this: the browser says so itself, or its Origin names our host."""
    site = headers.get(b"sec-fetch-site")
    if site is not None:
        return site == b"same-origin"
    origin = headers.get(b"origin")
    return origin is not None and origin.partition(b"://")[2] == headers.get(b"host")
