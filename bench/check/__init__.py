"""Decides from a run's history alone whether the sale kept its promises. Imports nothing of the shop."""
