"""What is for sale."""

from django.apps import AppConfig


class CatalogueConfig(AppConfig):
    name = "shop.catalogue"
