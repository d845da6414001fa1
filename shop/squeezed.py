"""Our scripts and sheets as they are served: without comments, under names that say what is in them."""

from collections.abc import Iterable
from typing import Any

from django.core.files.base import ContentFile
from rcssmin import cssmin
from rjsmin import jsmin
from whitenoise.storage import CompressedManifestStaticFilesStorage

SQUEEZERS = {"js": jsmin, "css": cssmin}


def squeezed(name: str, text: str) -> str:
    """Return one of our files as it is served; what others made stays as it is."""
    folder, _, file = name.partition("/")
    squeeze = SQUEEZERS.get(folder)
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
