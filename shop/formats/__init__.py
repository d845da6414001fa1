"""How dates and numbers are written in each language: what Django knows, where people expect otherwise."""
