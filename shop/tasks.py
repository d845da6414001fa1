"""Celery's front door to what belongs to no single app."""

from celery import shared_task

from shop import canary


@shared_task
def sing(queue: str) -> None:
    """Show that this queue is worked at, and that beat fills it."""
    canary.sing(queue)
