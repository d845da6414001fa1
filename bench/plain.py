"""The plain view that entry is held against: session, one row written, the shop's own middleware."""

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path

PATH = "bench/plain"
TABLE = "CREATE TABLE IF NOT EXISTS bench_plain (id bigserial PRIMARY KEY, visitor bigint, at timestamptz)"


def plain(request: HttpRequest) -> HttpResponse:
    """Know the visitor by his session, write one row, answer."""
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO bench_plain (visitor, at) VALUES (%s, now())", [request.user.pk])
    return HttpResponse("{}", content_type="application/json")


urlpatterns = [path(PATH, plain)]
