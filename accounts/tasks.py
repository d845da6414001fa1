"""Celery's front door to the accounts."""

from captcha.models import CaptchaStore
from celery import shared_task
from django.conf import settings
from django.core.management import call_command

from accounts import captcha_pool


@shared_task
def forget_the_expired() -> None:
    """Delete challenges and sessions whose time is over; running it twice changes nothing."""
    CaptchaStore.remove_expired()
    call_command("clearsessions")


@shared_task
def draw_captchas() -> None:
    """Fill the pool of challenges up; running it twice changes nothing."""
    captcha_pool.top_up(size=settings.CAPTCHA_POOL)
