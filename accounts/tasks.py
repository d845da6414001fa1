"""Celery's front door to the accounts."""

from captcha.models import CaptchaStore
from celery import shared_task
from django.core.management import call_command


@shared_task
def forget_the_expired() -> None:
    """Delete challenges and sessions whose time is over; running it twice changes nothing."""
    CaptchaStore.remove_expired()
    call_command("clearsessions")
