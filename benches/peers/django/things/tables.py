"""The tables of benches/scale/work.rs as a user of Django writes them."""

from django.db import migrations, models
from django.utils import timezone


def two_tables(number):
    one, two = 2 * number - 1, 2 * number
    return [
        migrations.CreateModel(
            name=f"Thing{one}",
            fields=[
                ("id", models.BigAutoField(primary_key=True)),
                ("name", models.CharField(max_length=100)),
                ("amount", models.DecimalField(max_digits=12, decimal_places=2, default=0)),
                ("created_at", models.DateTimeField(default=timezone.now)),
            ],
        ),
        migrations.CreateModel(
            name=f"Thing{two}",
            fields=[
                ("id", models.BigAutoField(primary_key=True)),
                ("thing", models.ForeignKey(f"things.thing{one}", models.CASCADE)),
                ("status", models.CharField(max_length=20, default="new")),
                ("note", models.TextField(null=True)),
            ],
        ),
    ]
