"""The league's tables: made by SQL in the benchmark's own database, unknown to migrations."""

from typing import ClassVar

from django.db import connection, models

UNITS_SQL = """
DROP TABLE IF EXISTS bench_item, bench_order, bench_unit;
CREATE TABLE bench_item (id int PRIMARY KEY, stock int NOT NULL, version int NOT NULL);
CREATE TABLE bench_order (id bigserial PRIMARY KEY, item_id int NOT NULL, shopper bigint NOT NULL);
CREATE INDEX ON bench_order (item_id);
CREATE TABLE bench_unit (id int PRIMARY KEY, shopper bigint);
INSERT INTO bench_item VALUES (1, %(units)s, 0);
INSERT INTO bench_unit SELECT n, NULL FROM generate_series(1, %(units)s) AS n;
"""


class Item(models.Model):
    """What is sold."""

    stock = models.IntegerField()
    version = models.IntegerField()
    objects: ClassVar[models.Manager["Item"]] = models.Manager()

    class Meta:
        app_label = "bench"
        db_table = "bench_item"
        managed = False

    def __str__(self) -> str:
        return f"item {self.pk}"


class Order(models.Model):
    """A unit sold."""

    item_id = models.IntegerField()
    shopper = models.BigIntegerField()
    objects: ClassVar[models.Manager["Order"]] = models.Manager()

    class Meta:
        app_label = "bench"
        db_table = "bench_order"
        managed = False

    def __str__(self) -> str:
        return f"order {self.pk}"


class Unit(models.Model):
    """One unit of stock as a row of its own."""

    shopper = models.BigIntegerField(null=True)
    objects: ClassVar[models.Manager["Unit"]] = models.Manager()

    class Meta:
        app_label = "bench"
        db_table = "bench_unit"
        managed = False

    def __str__(self) -> str:
        return f"unit {self.pk}"


def fill(units: int) -> None:
    """Make the tables anew, with so many units of item 1."""
    with connection.cursor() as cursor:
        cursor.execute(UNITS_SQL, {"units": units})
