"""The database itself refuses to change a line of the audit trail, whoever asks."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

TRIGGER = "accounts_auditevent_is_append_only"

INSTALL = {
    "sqlite": [
        f"""CREATE TRIGGER {TRIGGER} BEFORE UPDATE ON accounts_auditevent
        BEGIN SELECT RAISE(ABORT, 'audit events are never changed'); END"""
    ],
    "postgresql": [
        f"""CREATE FUNCTION {TRIGGER}() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'audit events are never changed'; END $$""",
        f"""CREATE TRIGGER {TRIGGER} BEFORE UPDATE ON accounts_auditevent
        FOR EACH ROW EXECUTE FUNCTION {TRIGGER}()""",
    ],
}
REMOVE = {
    "sqlite": [f"DROP TRIGGER {TRIGGER}"],
    "postgresql": [
        f"DROP TRIGGER {TRIGGER} ON accounts_auditevent",
        f"DROP FUNCTION {TRIGGER}()",
    ],
}


def _run(statements: dict[str, list[str]], schema_editor: BaseDatabaseSchemaEditor) -> None:
    for statement in statements.get(schema_editor.connection.vendor, []):
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [
        migrations.RunPython(
            lambda apps, schema_editor: _run(INSTALL, schema_editor),
            lambda apps, schema_editor: _run(REMOVE, schema_editor),
        )
    ]
