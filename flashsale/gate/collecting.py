"""How often a process of many small things at once looks for garbage in cycles."""

import gc


def collect_seldom() -> None:
    """Look seldom, and not among what was there at the start: the paths of a crowd make no cycles.

    Looking among its futures every 700 objects took a fifth of the gate's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
