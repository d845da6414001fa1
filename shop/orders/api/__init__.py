"""The REST API of cart, checkout and orders."""
