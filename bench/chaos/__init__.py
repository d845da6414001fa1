"""Sales under faults: real stores and roles are killed, frozen and cut off, and the history is judged."""
