"""What a running shop tells others about itself: where its stores are."""

import json
from pathlib import Path


def running_environment(data_dir: Path) -> dict[str, str]:
    """Return the store addresses of the `make run` that uses `data_dir`, or nothing."""
    try:
        state = json.loads((data_dir / "run.json").read_text())
    except (OSError, ValueError):
        return {}
    return {key: str(value) for key, value in state.items() if key.endswith("_URL")}
