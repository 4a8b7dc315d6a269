from django.db import migrations

from things.tables import two_tables


class Migration(migrations.Migration):
    dependencies = [("things", "0003_things")]
    operations = two_tables(4)
