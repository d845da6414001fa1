"""Serves the league without any middleware, as quick as Django can be."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")

from django.conf import settings
from django.core.wsgi import get_wsgi_application

settings.MIDDLEWARE = []
settings.ROOT_URLCONF = "bench.league.urls"
application = get_wsgi_application()
