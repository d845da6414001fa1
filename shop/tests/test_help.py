"""The help page."""

from django.test import Client


def test_help_is_there_for_everybody_and_asks_the_database_nothing(client: Client) -> None:
    page = client.get("/help/")
    assert page.status_code == 200
    assert "An order is kept for 30 minutes until it is paid." in page.content.decode()


def test_help_leads_to_the_orders_and_the_sales(client: Client) -> None:
    page = client.get("/help/").content.decode()
    assert 'under <a href="/orders/">My orders</a>' in page
    assert 'under <a href="/sales/">Sales</a>' in page


def test_help_names_an_address_to_write_to(client: Client) -> None:
    assert '<a href="mailto:shop@example.com">shop@example.com</a>' in client.get("/help/").content.decode()


def test_every_page_links_to_help_in_its_footer(client: Client) -> None:
    assert '<a href="/help/">Help</a>' in client.get("/help/").content.decode().split("<footer")[1]
