from django.db import migrations

from things.tables import two_tables


class Migration(migrations.Migration):
    dependencies = []
    operations = two_tables(1)
