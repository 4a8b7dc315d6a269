from django.db import migrations

from things.tables import two_tables


class Migration(migrations.Migration):
    dependencies = [("things", "0004_things")]
    operations = two_tables(5)
