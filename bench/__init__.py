"""The benchmark: `make bench`. What it measures and how: README.md beside this file."""
