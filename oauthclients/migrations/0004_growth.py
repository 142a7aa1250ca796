"""What keeps tables small and statements short as tokens grow."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("oauthclients", "0003_client_origins")]
    operations: list[object] = []
