"""Thin pages: fetch for this shopper, read the form, call one service, show or redirect."""
