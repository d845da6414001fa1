"""The shop's port is asked for before anything is started."""

import socket

import pytest

from shop.up.messages import Trouble
from shop.up.ports import LOOPBACK, free_port, require_free, shop_port


def test_a_taken_port_is_told_with_the_next_one_to_try() -> None:
    with socket.socket() as other:
        port = free_port()
        other.bind((LOOPBACK, port))
        other.listen()
        with pytest.raises(Trouble) as told:
            require_free(port)
    assert str(told.value) == (
        f"Port {port} is taken: stop what listens there, or choose another one, "
        f"e.g. make run PORT={port + 1}."
    )


def test_a_free_port_is_not_complained_of() -> None:
    port = free_port()
    require_free(port)
    assert 20_000 <= port <= 32_000


@pytest.mark.parametrize("text", ["http", "0", "65536", "-1", "80 "])
def test_a_port_that_is_no_number_is_told(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", text)
    with pytest.raises(Trouble, match="set it to a number from 1 to 65535"):
        shop_port()


def test_an_empty_port_means_8000(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "")
    assert shop_port() == 8000
