"""Fills the origins of the clients that were there before them."""

from django.db import migrations

from oauthclients.rules.redirect_uris import origin_of

WITH_REDIRECT_URIS = ("authorization-code", "implicit")


def fill(apps, schema_editor):
    Client = apps.get_model("oauthclients", "Client")
    ClientOrigin = apps.get_model("oauthclients", "ClientOrigin")
    clients = Client.objects.filter(authorization_grant_type__in=WITH_REDIRECT_URIS)
    ClientOrigin.objects.bulk_create(
        (
            ClientOrigin(client_id=key, origin=origin)
            for key, uris in clients.values_list("id", "redirect_uris")
            for origin in sorted({origin_of(uri) for uri in uris.split()} - {None})
        ),
        batch_size=500,
        ignore_conflicts=True,
    )


class Migration(migrations.Migration):
    dependencies = [("oauthclients", "0002_apps_for_people")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
