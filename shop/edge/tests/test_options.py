"""A node says what is wrong with its environment before nginx starts."""

import subprocess
from pathlib import Path

import pytest

from shop.edge import options
from shop.edge.__main__ import main, write
from shop.edge.tests.certificates import certificate
from shop.up.messages import Trouble

GOOD = {"EDGE_KEY": "k" * 32, "ALLOWED_HOSTS": "shop.example.com"}


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        (
            "EDGE_KEY",
            "short",
            "EDGE_KEY is 'short': set it to a random text of at least 32 letters and digits.",
        ),
        ("EDGE_KEY", 'k" os.exit() --' + "k" * 32, "EDGE_KEY is"),
        ("EDGE_TRUSTED_PROXIES", "10.0.0.0/33", "Set EDGE_TRUSTED_PROXIES to addresses or networks"),
        ("EDGE_TRUSTED_PROXIES", "0.0.0.0/0", "EDGE_TRUSTED_PROXIES trusts everybody"),
        ("EDGE_WEB", "web", "EDGE_WEB names 'web': set it to servers such as web:8000"),
        ("EDGE_GATE", "a:1; return 200", "EDGE_GATE names"),
        ("EDGE_PASS_RATE", "0", "EDGE_PASS_RATE is '0': set it to a whole number from 1 on."),
        ("EDGE_LISTEN", "port", "EDGE_LISTEN is 'port'"),
    ],
)
def test_a_fault_is_named_with_its_remedy(name: str, value: str, sentence: str) -> None:
    with pytest.raises(Trouble, match="^" + sentence.replace(".", r"\.").replace("(", r"\(")):
        options.read(GOOD | {name: value})


def test_a_certificate_must_be_a_file() -> None:
    with pytest.raises(Trouble, match="EDGE_CERTIFICATE is 'nowhere': set it to the path of a file"):
        options.read(GOOD | {"EDGE_TLS_LISTEN": "8443", "EDGE_CERTIFICATE": "nowhere"})


def test_each_role_has_servers_of_its_own_and_the_missing_ones_follow_their_neighbours() -> None:
    found = options.read(GOOD | {"EDGE_GATE": "g1:8000,g2:8000", "EDGE_WEB": "w:8000"})
    assert found["gate_servers"] == found["live_servers"]
    assert found["gate_servers"].count("server ") == 2
    assert found["admin_servers"] == found["web_servers"]
    assert found["host"] == "shop.example.com"


def test_the_command_line_says_its_sentence(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["fly"]) == 1
    assert capsys.readouterr().err.startswith("Say `python -m shop.edge write FOLDER`")


def test_nginx_takes_the_whole_configuration_with_tls(tmp_path: Path) -> None:
    settings = {
        "EDGE_WEB": "127.0.0.1:9",
        "EDGE_GATE": "127.0.0.1:9",
        "EDGE_TLS_LISTEN": "127.0.0.1:20443",
        "EDGE_TRUSTED_PROXIES": "10.0.0.0/8,192.0.2.7",
    }
    try:
        command = write(tmp_path / "edge", GOOD | settings | certificate(tmp_path))
    except Trouble as trouble:
        pytest.skip(str(trouble))
    done = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
