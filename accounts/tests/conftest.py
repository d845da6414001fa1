"""The cast: a buyer, a rival who wants what is the buyer's, and an address of each."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.test import Client, RequestFactory

from accounts import addresses, captcha, captcha_pool
from accounts.addresses import AddressParts
from accounts.models import Address, User

PASSWORD = "a-lamp-by-the-field"
HOME = AddressParts(
    full_name="Bea Buyer", country="GB", line1="12 Mill Lane", line2="", postcode="SW1A 1AA", city="London"
)


@pytest.fixture(autouse=True)
def _uncounted() -> Iterator[None]:
    """Tries of another test do not count in this one."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def buyer(db: None) -> User:
    return User.objects.create_user("buyer@example.com", PASSWORD)


@pytest.fixture
def rival(db: None) -> User:
    return User.objects.create_user("rival@example.com", PASSWORD)


@pytest.fixture
def home(buyer: User) -> Address:
    return addresses.add(user=buyer, parts=HOME)


@pytest.fixture
def as_buyer(client: Client, buyer: User) -> Client:
    client.force_login(buyer, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def as_rival(rival: User) -> Client:
    client = Client()
    client.force_login(rival, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def key(client: Client, db: None) -> str:
    session = client.session
    session.save()
    request = RequestFactory().get("/")
    request.session = session
    return captcha.key_for(request, captcha_pool.store(minutes=5))
