"""What keeps tables small and statements short as tokens grow (docs/decisions/013-purging.md).

Most of it is about django-oauth-toolkit's tables, so it is not in the state of our models, and a later
migration that remakes such a table in SQLite would lose it: tests/tables/test_statements_at_size.py would
say so. On PostgreSQL nothing here keeps others waiting, and what failed half-way can be run again.
"""

from django.db import migrations, models, transaction

TOKENS, REFRESH = "oauth2_provider_accesstoken", "oauth2_provider_refreshtoken"

# Name, table, columns, condition. The first two are what purging goes by: a token belongs to one of them.
ADDED = [
    ("token_of_client_purging", TOKENS, "expires", "user_id IS NULL"),
    ("token_of_person_purging", TOKENS, "expires, id", "user_id IS NOT NULL"),
    # Instead of one in which every client's own token stands as well.
    ("token_of_person", TOKENS, "user_id", "user_id IS NOT NULL"),
    ("code_purging", "oauth2_provider_grant", "expires", ""),
    # Of our own models.
    ("family_end_purging", "oauthclients_tokenfamily", "ended_at", "ended_at IS NOT NULL"),
    ("secret_purging", "oauthclients_clientsecret", "ends_at", "ends_at IS NOT NULL"),
    ("client_purging", "oauthclients_client", "date_to_delete", "date_to_delete IS NOT NULL"),
]
DROPPED = [("oauth2_provider_accesstoken_user_id_6e4c9a65", TOKENS, "user_id", "")]
# For LIKE, which nothing uses on a hash or an ID; on the checksum it was the largest index of all.
LIKE = [
    (f"{TOKENS}_token_checksum_85319a26_like", TOKENS, "token_checksum varchar_pattern_ops", ""),
    ("oauth2_provider_grant_code_49ab4ddf_like", "oauth2_provider_grant", "code varchar_pattern_ops", ""),
    (
        "oauthclients_tokenfamily_code_digest_28f4531c_like",
        "oauthclients_tokenfamily",
        "code_digest varchar_pattern_ops",
        "",
    ),
    (
        "oauthclients_client_client_id_39e97250_like",
        "oauthclients_client",
        "client_id varchar_pattern_ops",
        "",
    ),
    (
        "oauthclients_clientorigin_origin_1bf91250_like",
        "oauthclients_clientorigin",
        "origin varchar_pattern_ops",
        "",
    ),
]
# Unique columns that are empty in every token: a condition keeps them out of the index.
UNIQUE = ["source_refresh_token_id", "id_token_id"]
# Who refers to access tokens, with the names of the foreign keys.
REFERENCES = [
    ("oauthclients_familytoken", "token_id", "oauthclients_familyt_token_id_9c6692c2_fk_oauth2_pr"),
    (REFRESH, "access_token_id", "oauth2_provider_refr_access_token_id_775e84e8_fk_oauth2_pr"),
]
# Rather fail and be run again than stand in a queue in which everybody else stands behind.
PATIENCE = "SET lock_timeout = '3s'"


def _create(schema_editor, name, table, columns, condition, *, unique=False):
    postgresql = schema_editor.connection.vendor == "postgresql"
    if postgresql:
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(
                "SELECT indisvalid FROM pg_index JOIN pg_class ON oid = indexrelid WHERE relname = %s",
                [name],
            )
            found = cursor.fetchone()
        if found == (False,):  # an attempt that was broken off
            _drop(schema_editor, name)
    schema_editor.execute(
        f"CREATE {'UNIQUE ' * unique}INDEX {'CONCURRENTLY ' * postgresql}IF NOT EXISTS {name} "
        f"ON {table} ({columns})" + (f" WHERE {condition}" if condition else "")
    )


def _drop(schema_editor, name):
    concurrently = "CONCURRENTLY " * (schema_editor.connection.vendor == "postgresql")
    schema_editor.execute(f"DROP INDEX {concurrently}IF EXISTS {name}")


def _swap(schema_editor, create, drop):
    for index in create:
        _create(schema_editor, *index)
    for name, *_rest in drop:
        _drop(schema_editor, name)


def _of_vendor(schema_editor):
    return LIKE if schema_editor.connection.vendor == "postgresql" else []


def indexes(apps, schema_editor):
    _swap(schema_editor, ADDED, DROPPED + _of_vendor(schema_editor))


def indexes_back(apps, schema_editor):
    _swap(schema_editor, DROPPED + _of_vendor(schema_editor), ADDED)


def unique(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    schema_editor.execute(PATIENCE)
    for column in UNIQUE:
        _create(schema_editor, f"token_{column}", TOKENS, column, f"{column} IS NOT NULL", unique=True)
        schema_editor.execute(f"ALTER TABLE {TOKENS} DROP CONSTRAINT IF EXISTS {TOKENS}_{column}_key")
    schema_editor.execute("RESET lock_timeout")


def unique_back(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    for column in UNIQUE:
        name = f"{TOKENS}_{column}_key"
        _create(schema_editor, name, TOKENS, column, "", unique=True)
        schema_editor.execute(f"ALTER TABLE {TOKENS} ADD CONSTRAINT {name} UNIQUE USING INDEX {name}")
        _drop(schema_editor, f"token_{column}")


# A foreign key makes PostgreSQL look, for every token that is deleted, whether something refers to it: two
# looks that cost four times as much as the deletion. Something only ever refers to people's tokens. So the
# same promise is kept by triggers that know this: they do not fire for a client's own token, and they
# refuse what would refer to one. As with the foreign keys, it is at the end of the transaction that it
# has to hold, and a row that is being referred to is locked against deletion.
GUARD = [
    f"""CREATE FUNCTION {TOKENS}_is_free() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NOT EXISTS (SELECT 1 FROM {TOKENS} WHERE id = OLD.id) AND ("""
    + " OR ".join(
        f"EXISTS (SELECT 1 FROM {table} WHERE {column} = OLD.id)" for table, column, _ in REFERENCES
    )
    + f""") THEN
            RAISE foreign_key_violation USING MESSAGE = 'something still refers to an access token';
        END IF;
        RETURN NULL;
    END $$""",
    f"""CREATE CONSTRAINT TRIGGER {TOKENS}_is_free AFTER DELETE ON {TOKENS} DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.user_id IS NOT NULL) EXECUTE FUNCTION {TOKENS}_is_free()""",
]
UNGUARD = [f"DROP TRIGGER {TOKENS}_is_free ON {TOKENS}", f"DROP FUNCTION {TOKENS}_is_free()"]
for _table, _column, _key in REFERENCES:
    GUARD += [
        f"""CREATE FUNCTION {_table}_has_token() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM 1 FROM {TOKENS} WHERE id = NEW.{_column} AND user_id IS NOT NULL FOR KEY SHARE;
            IF NOT FOUND AND EXISTS (SELECT 1 FROM {_table} WHERE {_column} = NEW.{_column}) THEN
                RAISE foreign_key_violation USING MESSAGE = 'this refers to no access token of a person';
            END IF;
            RETURN NULL;
        END $$""",
        f"""CREATE CONSTRAINT TRIGGER {_table}_has_token AFTER INSERT OR UPDATE OF {_column} ON {_table}
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.{_column} IS NOT NULL)
        EXECUTE FUNCTION {_table}_has_token()""",
        f"ALTER TABLE {_table} DROP CONSTRAINT IF EXISTS {_key}",
    ]
    UNGUARD += [
        f"DROP TRIGGER {_table}_has_token ON {_table}",
        f"DROP FUNCTION {_table}_has_token()",
        f"""ALTER TABLE {_table} ADD CONSTRAINT {_key} FOREIGN KEY ({_column}) REFERENCES {TOKENS} (id)
        DEFERRABLE INITIALLY DEFERRED""",
    ]


def _all_or_nothing(schema_editor, statements):
    if schema_editor.connection.vendor == "postgresql":
        with transaction.atomic(using=schema_editor.connection.alias):
            schema_editor.execute(PATIENCE.replace("SET", "SET LOCAL"))
            for statement in statements:
                schema_editor.execute(statement)


def guard(apps, schema_editor):
    _all_or_nothing(schema_editor, GUARD)


def guard_back(apps, schema_editor):
    _all_or_nothing(schema_editor, UNGUARD)


def _purging(model, field, name):
    return migrations.AddIndex(
        model, models.Index(fields=[field], condition=models.Q(**{f"{field}__isnull": False}), name=name)
    )


class Migration(migrations.Migration):
    # CREATE INDEX CONCURRENTLY is not for transactions.
    atomic = False

    dependencies = [
        ("oauthclients", "0003_client_origins"),
        ("oauth2_provider", "0022_refreshtoken_token_family_index"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(indexes, indexes_back)],
            state_operations=[
                _purging("tokenfamily", "ended_at", "family_end_purging"),
                _purging("clientsecret", "ends_at", "secret_purging"),
                _purging("client", "date_to_delete", "client_purging"),
            ],
        ),
        migrations.RunPython(unique, unique_back),
        migrations.RunPython(guard, guard_back),
    ]
