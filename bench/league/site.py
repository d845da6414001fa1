"""Serves the league without any middleware, as quick as Django can be."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.wsgi import get_wsgi_application

get_wsgi_application()  # with everything the apps insist on; what serves is made below
settings.MIDDLEWARE = []
settings.ROOT_URLCONF = "bench.league.urls"
application = WSGIHandler()
