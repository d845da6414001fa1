"""Sessions: one statement a save, read from the cache, and an ended one stays ended."""

import pytest
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.models import Session
from pytest_django import DjangoAssertNumQueries

from accounts.sessions import SessionStore

pytestmark = pytest.mark.django_db


@pytest.fixture
def session() -> SessionStore:
    made = SessionStore()
    made["a"] = 1
    made.create()
    return made


def test_a_session_is_saved_by_one_statement(
    session: SessionStore, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    session["a"] = 2
    with django_assert_num_queries(1):
        session.save()
    row = Session.objects.get(pk=session.session_key)
    assert row.get_decoded()["a"] == 2


def test_a_saved_session_is_read_from_the_cache(
    session: SessionStore, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    session["a"] = 3
    session.save()
    with django_assert_num_queries(0):
        assert SessionStore(session.session_key)["a"] == 3


def test_a_session_that_was_ended_is_not_brought_back(session: SessionStore) -> None:
    Session.objects.all().delete()
    session["a"] = 4
    with pytest.raises(UpdateError):
        session.save()
    assert not Session.objects.exists()
