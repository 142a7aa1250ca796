"""Adds the shipped role "Token Introspection" to the organizations that there are. Nobody holds it there:
to give it to somebody is for those who run the installation."""

from django.db import migrations


def add_role(apps, schema_editor):
    Organization = apps.get_model("accounts", "Organization")
    Role = apps.get_model("accounts", "Role")
    for organization in Organization.objects.all():
        roles = Role.objects.filter(organization=organization)
        taken = roles.filter(name__iexact="Token Introspection").exists()
        if taken or roles.filter(default_role_id="tokenIntrospection").exists():
            continue  # a role of their own has the name: it stays theirs
        Role.objects.create(
            organization=organization,
            name="Token Introspection",
            description="For an API of your own that asks whether a token is good",
            default_role_id="tokenIntrospection",
            policies=[{"domain": "oauth", "entityName": "token", "actionSet": ["view"]}],
        )


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_people_and_idle_time"),
    ]

    operations = [
        migrations.RunPython(add_role, migrations.RunPython.noop),
    ]
