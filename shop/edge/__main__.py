"""`python -m shop.edge write FOLDER` writes a node's configuration; `run FOLDER` also becomes nginx."""

import os
import shutil
import sys
from collections.abc import Mapping
from html import escape
from pathlib import Path
from string import Template

from shop.edge import options, pages
from shop.up.messages import Trouble, fail

DOCKER = Path(__file__).resolve().parents[2] / "docker"
SOURCES = DOCKER / "nginx"
SHARED_ADDRESS = DOCKER / "keepalived"
MODULES = Path("/usr/lib/nginx/modules")
MIME_TYPES = Path("/etc/nginx/mime.types")


class _Conf(Template):
    delimiter = "%"
    pattern = r"%(?:(?P<escaped>%)|(?P<named>(?!))|\{(?P<braced>[a-z_]+)\}|(?P<invalid>(?!)))"  # type: ignore[assignment]


def nginx() -> str:
    """Return where nginx is; raises Trouble where it, or its Lua module, is missing."""
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if found is None or not (MODULES / "ngx_http_lua_module.so").exists():
        raise Trouble("The edge needs nginx with Lua: apt-get install nginx libnginx-mod-http-lua.")
    return found


def write(folder: Path, environment: Mapping[str, str]) -> list[str]:
    """Write the configuration of one node into a folder; return the command that runs it. Raises Trouble."""
    folder = folder.absolute()
    found = options.read(environment) | {
        "folder": str(folder),
        "modules": str(MODULES),
        "mime_types": str(MIME_TYPES),
    }
    for name in ("temp", "cache", "pages", "lua"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for source in SOURCES.glob("*.conf"):
        is_wanted = source.name != "tls.conf" or "tls_listen" in found
        (folder / source.name).write_text(_Conf(source.read_text()).substitute(found) if is_wanted else "")
    (folder / "nginx.conf").chmod(0o600)  # it holds the key
    for source in SOURCES.glob("lua/*.lua"):
        shutil.copy(source, folder / "lua")
    if "address" in found:
        for source in SHARED_ADDRESS.iterdir():
            (folder / source.name).write_text(_Conf(source.read_text()).substitute(found))
    _write_pages(folder / "pages", found)
    return [nginx(), "-p", f"{folder}/", "-c", str(folder / "nginx.conf"), "-e", "stderr"]


def _write_pages(folder: Path, found: Mapping[str, str]) -> None:
    for name in ("busy.js", "edge.css"):
        shutil.copy(SOURCES / "pages" / name, folder)
    page = _Conf((SOURCES / "pages/page.html").read_text())
    for language in pages.LANGUAGES:
        for name, texts in pages.texts(language).items():
            text = page.substitute(texts, language=language, shop=escape(found["shop"]))
            (folder / f"{name}.{language}.html").write_text(text)


def main(arguments: list[str]) -> int:
    """Do what is asked; 1 with a sentence if that cannot be done."""
    if len(arguments) != 2 or arguments[0] not in ("write", "run"):
        return fail(Trouble("Say `python -m shop.edge write FOLDER` or `python -m shop.edge run FOLDER`."))
    try:
        command = write(Path(arguments[1]), os.environ)
    except Trouble as trouble:
        return fail(trouble)
    except OSError as error:
        return fail(Trouble(f"{error.filename} cannot be written: {error.strerror}."))
    if arguments[0] == "run":
        os.execv(command[0], command)  # noqa: S606 - no shell; nginx gets our signals
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
