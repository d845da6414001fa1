"""Serves the plain view with the shop's own settings and middleware."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")

from django.conf import settings
from django.core.wsgi import get_wsgi_application

settings.ROOT_URLCONF = "bench.plain"
application = get_wsgi_application()
