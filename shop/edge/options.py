"""What a node of the edge is told by its environment, checked before nginx sees it; docs/edge.md lists it."""

import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_interface, ip_network
from pathlib import Path
from urllib.parse import urlsplit

from shop import languages
from shop.up.messages import Trouble

SERVER = re.compile(r"[A-Za-z0-9.-]+:[0-9]{1,5}|\[[0-9a-fA-F:]+\]:[0-9]{1,5}")
LISTEN = re.compile(r"(?:[0-9.]+:|\[[0-9a-fA-F:]+\]:)?[0-9]{1,5}")
WORD = re.compile(r"[A-Za-z0-9.:_-]+")
KEY = re.compile(r"[A-Za-z0-9._~+/=-]{32,}")
NUMBERS = {
    "NETWORK_RATE": 200,
    "NETWORK_BURST": 400,
    "PASS_RATE": 5,
    "PASS_BURST": 20,
    "GATE_AT_ONCE": 8192,
    "LIVE_AT_ONCE": 20_000,
    "WEB_AT_ONCE": 256,
    "ADMIN_AT_ONCE": 32,
    "STREAMS_A_NETWORK": 2000,
    "ROOM_RATE": 100,
    "CONNECTIONS": 16_384,
    "KEEPALIVE_REQUESTS": 10_000,
}


@dataclass(frozen=True)
class Environment:
    """Reads variables; each fault is a Trouble whose text names the variable and the remedy."""

    values: Mapping[str, str]

    def text(self, name: str, default: str, pattern: re.Pattern[str], wanted: str) -> str:
        """Return a text of a known form."""
        found = self.values.get(name) or default
        if not pattern.fullmatch(found):
            raise Trouble(f"{name} is {found!r}: set it to {wanted}.")
        return found

    def number(self, name: str, default: int) -> int:
        """Return a whole number from 1 on."""
        found = self.values.get(name) or str(default)
        if not found.isdecimal() or int(found) < 1:
            raise Trouble(f"{name} is {found!r}: set it to a whole number from 1 on.")
        return int(found)

    def servers(self, name: str, default: str) -> str:
        """Return nginx's `server` lines of a role."""
        names = [one.strip() for one in (self.values.get(name) or default).split(",")]
        for one in names:
            if not SERVER.fullmatch(one):
                raise Trouble(
                    f"{name} names {one!r}: set it to servers such as web:8000, separated by commas."
                )
        return " ".join(f"server {one} max_fails=3 fail_timeout=2s;" for one in names)

    def networks(self, name: str) -> list[str]:
        """Return addresses or networks."""
        texts = [one.strip() for one in self.values.get(name, "").split(",") if one.strip()]
        try:
            found = [ip_network(one, strict=False) for one in texts]
        except ValueError as error:
            raise Trouble(f"Set {name} to addresses or networks, separated by commas: {error}.") from error
        if any(one.prefixlen == 0 for one in found):
            raise Trouble(f"{name} trusts everybody: name the networks of your own proxies.")
        return [str(one) for one in found]

    def file(self, name: str) -> str:
        """Return the path of a file that is there."""
        found = Path(self.values.get(name, "")).absolute()
        if not found.is_file() or not re.fullmatch(r"[\w./-]+", str(found)):
            raise Trouble(f"{name} is {self.values.get(name, '')!r}: set it to the path of a file.")
        return str(found)


def read(values: Mapping[str, str]) -> dict[str, str]:
    """Return what stands for each %{name} of the templates but for the folder; raises Trouble."""
    env = Environment(values)
    debug = values.get("DJANGO_DEBUG", "0").lower() in ("1", "true", "yes", "on")
    prefix, gate, web = ("" if debug else "__Secure-"), "gate:8000", "web:8000"
    trusted = env.networks("EDGE_TRUSTED_PROXIES")
    host = values.get("ALLOWED_HOSTS", "").split(",")[0].strip() or "localhost"
    listen = "a port, or an address and a port"
    found = {
        "key": env.text("EDGE_KEY", "", KEY, "a random text of at least 32 letters and digits"),
        "name": env.text("EDGE_NAME", socket.gethostname(), WORD, "one word"),
        "host": env.text("EDGE_HOST", host if host != "*" else "localhost", WORD, "a host name of the shop"),
        "listen": env.text("EDGE_LISTEN", "8080", LISTEN, listen),
        "workers": env.text("EDGE_WORKERS", "auto", re.compile("auto|[1-9][0-9]?"), "auto or a number"),
        "gate_servers": env.servers("EDGE_GATE", gate),
        "live_servers": env.servers("EDGE_LIVE", values.get("EDGE_GATE") or gate),
        "web_servers": env.servers("EDGE_WEB", web),
        "admin_servers": env.servers("EDGE_ADMIN", values.get("EDGE_WEB") or web),
        "front": " ".join(f"{network} 1;" for network in trusted),
        "real_ip": _real_ip(trusted),
        "pass_cookie": f"{prefix}pass",
        "entered_cookie": f"{prefix}entered",
        "held_cookie": f"{prefix}held",
        # Started by root, nginx gives its workers to somebody who has no rights, or to this one.
        "user": f"user {values['EDGE_USER']};" if WORD.fullmatch(values.get("EDGE_USER", "")) else "",
        "access_log": _access_log(env),
        "secure": "" if debug else "; Secure",
        "sheds": "true" if values.get("EDGE_SHEDDING") == "1" else "false",
        "crowd_memory": "256m" if values.get("EDGE_SHEDDING") == "1" else "1m",
        "static_path": urlsplit(values.get("STATIC_URL") or "/static/").path,
        "shop": values.get("SHOP_NAME") or "Field & Flame",
        **_languages(),
    }
    found |= {name.lower(): str(env.number(f"EDGE_{name}", default)) for name, default in NUMBERS.items()}
    if values.get("EDGE_TLS_LISTEN"):
        found["tls_listen"] = env.text("EDGE_TLS_LISTEN", "", LISTEN, listen)
        found["certificate"] = env.file("EDGE_CERTIFICATE")
        found["certificate_key"] = env.file("EDGE_CERTIFICATE_KEY")
    if values.get("EDGE_ADDRESS"):
        found |= _shared_address(env, found["listen"])
    return found


def _languages() -> dict[str, str]:
    """Which language a reader gets: the lines of two maps."""
    codes = list(languages.folders())
    accepted = (f'"~*^ *{asked}\\b" "{code}";' for asked, code in languages.accepted(codes).items())
    return {"accepted": " ".join(accepted), "languages": " ".join(f'"{code}" "{code}";' for code in codes)}


def _access_log(env: Environment) -> str:
    path = env.text("EDGE_ACCESS_LOG", "off", re.compile(r"off|/[\w./-]+"), "the whole path of a file")
    return path if path == "off" else f"{path} arrivals buffer=32k flush=1s"


def _shared_address(env: Environment, listen: str) -> dict[str, str]:
    """What keepalived is told: the address that two nodes share."""
    host, _, port = listen.rpartition(":")
    try:
        address = str(ip_interface(env.values["EDGE_ADDRESS"]))
    except ValueError as error:
        raise Trouble(f"Set EDGE_ADDRESS to an address such as 192.0.2.10/24: {error}.") from error
    interface = re.compile(r"[A-Za-z0-9._-]{1,15}")
    return {
        "address": address,
        "interface": env.text("EDGE_INTERFACE", "eth0", interface, "a network interface such as eth0"),
        "priority": str(min(254, env.number("EDGE_PRIORITY", 100))),
        "router": str(min(255, env.number("EDGE_ROUTER", 51))),
        "health_host": host.strip("[]") or "127.0.0.1",
        "health_port": port,
    }


def _real_ip(trusted: list[str]) -> str:
    if not trusted:
        return ""
    lines = [f"set_real_ip_from {network};" for network in trusted]
    return "\n".join([*lines, "real_ip_header X-Forwarded-For;", "real_ip_recursive on;"])
