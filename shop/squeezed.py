"""Our scripts and sheets as they are served: without comments, under names that say what is in them."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from rcssmin import cssmin
from rjsmin import jsmin
from whitenoise.storage import CompressedManifestStaticFilesStorage

SQUEEZERS = {"js": jsmin, "css": cssmin}
JOINED = {"js/waiting.js"}
"""Scripts that are served in one file with all that they import: a million people get them at once."""
IMPORT = re.compile(r'^import (?:\* as (\w+)|\{([^}]*)\}) from "\./([\w-]+)\.js";$', re.M)
EXPORT = re.compile(r"^export ((?:async )?function|const|class) (\w+)", re.M)
MODULE_WORD = re.compile(r"^\s*(import|export)\b.*", re.M)


def joined(name: str, read: Callable[[str], str]) -> str:
    """Return a script in one file with the modules that it imports; each keeps its names to itself.

    `read` returns the text of a module by its name without ".js". Raises ValueError for an import or export
    of another form than ours, and RecursionError for modules that import each other.
    """
    done: dict[str, str] = {}

    def add(module: str) -> None:
        text = read(module)
        for *_, needed in IMPORT.findall(text):
            if needed not in done:
                add(needed)
        exports = ", ".join(exported for _, exported in EXPORT.findall(text))
        body = EXPORT.sub(r"\1 \2", IMPORT.sub(_taken, text))
        if found := MODULE_WORD.search(body):
            raise ValueError(f"{module}.js cannot be joined: {found[0].strip()}")
        done[module] = f"const {_own(module)} = (() => {{\n{body}\nreturn {{ {exports} }};\n}})();"

    add(name)
    return "\n".join(done.values())


def _own(module: str) -> str:
    return "$" + module.replace("-", "_")


def _taken(found: re.Match[str]) -> str:
    whole, names, module = found.groups()
    taken = whole or "{" + names.replace(" as ", ": ") + "}"
    return f"const {taken} = {_own(module)};"


def _source(module: str) -> str:
    return Path(settings.BASE_DIR, "static", "js", f"{module}.js").read_text()


def squeezed(name: str, text: str) -> str:
    """Return one of our files as it is served; what others made stays as it is."""
    folder, _, file = name.partition("/")
    squeeze = SQUEEZERS.get(folder)
    if name in JOINED:
        text = joined(file.removesuffix(".js"), _source)
    return str(squeeze(text)) if squeeze and file.endswith(f".{folder}") else text


class SqueezedStaticFiles(CompressedManifestStaticFilesStorage):
    """Collects files squeezed, compressed, and named by what is in them, modules too."""

    support_js_module_import_aggregation = True

    def save(self, name: str | None, content: Any, max_length: int | None = None) -> str:
        """Save one collected file."""
        if name and name.startswith(("js/", "css/")):
            content = ContentFile(squeezed(name, content.read().decode()).encode())
        return str(super().save(name, content, max_length))

    def post_process(self, paths: Iterable[str], dry_run: bool = False, **options: Any) -> Any:
        """Name and compress what was saved, not what it was made from."""
        return super().post_process({name: (self, name) for name in paths}, dry_run, **options)
