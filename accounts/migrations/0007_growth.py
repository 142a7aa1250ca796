"""The database itself refuses to delete a line of the audit trail, but to the retention of a set number of
days (accounts/services/purging.py): that says within its transaction until when lines may go.

TRUNCATE and dropping the trigger remain to whoever has the database's own password.
"""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

TRIGGER = "accounts_auditevent_is_kept"

INSTALL = {
    "sqlite": [
        # SQLite has no settings of a transaction. A row of this table is there within one only.
        "CREATE TABLE accounts_auditretention (until text NOT NULL)",
        f"""CREATE TRIGGER {TRIGGER} BEFORE DELETE ON accounts_auditevent
        WHEN NOT EXISTS (SELECT 1 FROM accounts_auditretention WHERE OLD.at < until)
        BEGIN SELECT RAISE(ABORT, 'audit events are never deleted'); END""",
    ],
    "postgresql": [
        f"""CREATE FUNCTION {TRIGGER}() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF OLD.at < nullif(current_setting('latchkey.audit_until', true), '')::timestamptz THEN
                RETURN OLD;
            END IF;
            RAISE EXCEPTION 'audit events are never deleted';
        END $$""",
        f"""CREATE TRIGGER {TRIGGER} BEFORE DELETE ON accounts_auditevent
        FOR EACH ROW EXECUTE FUNCTION {TRIGGER}()""",
    ],
}
REMOVE = {
    "sqlite": [f"DROP TRIGGER {TRIGGER}", "DROP TABLE accounts_auditretention"],
    "postgresql": [f"DROP TRIGGER {TRIGGER} ON accounts_auditevent", f"DROP FUNCTION {TRIGGER}()"],
}


def _run(statements: dict[str, list[str]], schema_editor: BaseDatabaseSchemaEditor) -> None:
    for statement in statements.get(schema_editor.connection.vendor, []):
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0006_people_roles_divisions")]

    operations = [
        migrations.RunPython(
            lambda apps, schema_editor: _run(INSTALL, schema_editor),
            lambda apps, schema_editor: _run(REMOVE, schema_editor),
        )
    ]
