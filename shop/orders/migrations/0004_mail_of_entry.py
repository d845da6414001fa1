"""Add the mail with which a shopper enters a sale."""

from django.db import migrations, models

KINDS = [
    ("received", "Order received"),
    ("reserved", "Reserved"),
    ("paid", "Paid"),
    ("expired", "Expired"),
    ("cancelled", "Cancelled"),
    ("refunded", "Refunded"),
    ("shipped", "Shipped"),
    ("standby", "Standby"),
    ("promoted", "Promoted"),
    ("displaced", "Displaced"),
    ("passed_over", "Passed over"),
    ("standby_over", "Standby over"),
    ("entry_link", "Link to enter a sale"),
]


class Migration(migrations.Migration):
    dependencies = [("orders", "0003_mails_of_standby")]
    operations = [
        migrations.AlterField(
            model_name="outboxmail",
            name="kind",
            field=models.CharField(choices=KINDS, max_length=20),
        ),
    ]
