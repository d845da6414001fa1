"""The supervisor: `python -m shop.up run` starts the shop with its stores; `make` installs and calls it."""
