"""Many rows of a model at once: COPY on PostgreSQL, `executemany` elsewhere.

What is not given takes the default of its field, so that a column more or less needs no change here.
Nothing is checked but by the database.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import date, datetime
from itertools import islice
from typing import Any

from django.core.management.color import no_style
from django.db import connection, models, transaction
from django.utils import timezone

Row = Sequence[Any]

# Whose Python values COPY takes as they are; any other field is asked to prepare its value.
_PLAIN = (
    models.AutoField,
    models.BigAutoField,
    models.BigIntegerField,
    models.BinaryField,
    models.BooleanField,
    models.CharField,
    models.DateField,
    models.DateTimeField,
    models.EmailField,
    models.ForeignKey,
    models.IntegerField,
    models.JSONField,
    models.OneToOneField,
    models.PositiveIntegerField,
    models.SlugField,
    models.TextField,
    models.UUIDField,
)
_CHUNK = 5_000


def insert(
    model: type[models.Model],
    names: Sequence[str],
    rows: Iterable[Row],
    *,
    many: bool = False,
    **fixed: Any,
) -> None:
    """Writes `rows`, each with a value for every one of `names`, such as `organization_id`; what is `fixed`
    is the same in every row. In one transaction. Where they are `many`, PostgreSQL builds the indexes anew
    afterwards, which takes a fraction of the time; nobody else reads the table meanwhile."""
    columns = _Columns(model, names, fixed)
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with _rebuilt(columns.table) if many else nullcontext():
                _copy(columns, rows)
        else:
            _many(columns, rows)


def next_id(model: type[models.Model]) -> int:
    """The first number above those of the rows that are there, for a model whose key counts."""
    top: int | None = model._default_manager.aggregate(top=models.Max("pk"))["top"]
    return (top or 0) + 1


def finish(*changed: type[models.Model]) -> None:
    """After rows with keys of our own: counting goes on behind them, and the database knows how many there
    are when it plans a statement."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), list(changed)):
            cursor.execute(statement)
        for model in changed if connection.vendor == "postgresql" else ():
            cursor.execute(f"ANALYZE {connection.ops.quote_name(model._meta.db_table)}")


class _Columns:
    """The fields that vary, then those that do not, with their values as the model has them."""

    def __init__(self, model: type[models.Model], names: Sequence[str], fixed: dict[str, Any]) -> None:
        fields: dict[str, models.Field[Any, Any]] = {
            field.attname: field for field in model._meta.concrete_fields
        }
        unknown = {*names, *fixed} - fields.keys()
        assert not unknown, unknown
        self.table = model._meta.db_table
        self.varying = [fields[name] for name in names]
        constant = [
            field
            for name, field in fields.items()
            if name not in names and (name in fixed or _has_default(field))
        ]
        self.constants = [
            fixed[field.attname] if field.attname in fixed else _default(field) for field in constant
        ]
        self.fields = [*self.varying, *constant]

    @property
    def names(self) -> str:
        return ", ".join(connection.ops.quote_name(str(field.column)) for field in self.fields)


def _has_default(field: models.Field[Any, Any]) -> bool:
    """Not a key that the database counts, and not what it fills in itself."""
    return not isinstance(field, models.AutoField | models.BigAutoField) and not getattr(
        field, "generated", False
    )


def _default(field: models.Field[Any, Any]) -> Any:
    if getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
        return timezone.now()
    assert not (field.primary_key or field.unique) or field.null, f"{field} needs a value for each row"
    return field.get_default()


# --- PostgreSQL ----------------------------------------------------------------------------------


def _copy(columns: _Columns, rows: Iterable[Row]) -> None:
    table = connection.ops.quote_name(columns.table)
    prepared = [_preparation(field) for field in columns.fields]
    tail = "".join(
        "\t" + _text(prepare(value) if prepare else value)
        for prepare, value in zip(prepared[len(columns.varying) :], columns.constants, strict=True)
    )
    varying = prepared[: len(columns.varying)]
    special = any(varying)
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {table} ({columns.names}) FROM STDIN") as copy,
    ):
        for chunk in _chunks(rows):
            if special:
                chunk = [
                    [f(value) if f else value for f, value in zip(varying, row, strict=True)]
                    for row in chunk
                ]
            copy.write("".join(["\t".join(map(_text, row)) + tail + "\n" for row in chunk]))


@contextmanager
def _rebuilt(table: str) -> Iterator[None]:
    """Without the table's indexes, foreign keys and triggers meanwhile, its primary key excepted."""
    quoted = connection.ops.quote_name(table)
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {quoted} DISABLE TRIGGER USER")
        cursor.execute(
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE conrelid = %s::regclass AND contype IN ('f', 'u')",
            [quoted],
        )
        constraints = cursor.fetchall()
        for name, _definition in constraints:
            cursor.execute(f"ALTER TABLE {quoted} DROP CONSTRAINT {connection.ops.quote_name(name)}")
        cursor.execute(
            "SELECT c.relname, pg_get_indexdef(c.oid)"
            " FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
            " WHERE i.indrelid = %s::regclass AND NOT i.indisprimary",
            [quoted],
        )
        indexes = cursor.fetchall()
        for name, _definition in indexes:
            cursor.execute(f"DROP INDEX {connection.ops.quote_name(name)}")
        yield
        for _name, definition in indexes:
            cursor.execute(definition)
        for name, definition in constraints:
            name = connection.ops.quote_name(name)
            cursor.execute(f"ALTER TABLE {quoted} ADD CONSTRAINT {name} {definition}")
        cursor.execute(f"ALTER TABLE {quoted} ENABLE TRIGGER USER")


def _preparation(field: models.Field[Any, Any]) -> Callable[[Any], Any] | None:
    """What a field of the product's own makes of a value before the database sees it."""
    if type(field) in _PLAIN:
        return None
    return lambda value: getattr(
        prepared := field.get_db_prep_save(value, connection=connection), "obj", prepared
    )


def _text(value: Any) -> str:
    """One value in the text format of COPY."""
    return _TEXTS.get(type(value), str)(value)  # such as a choice, which is a text


def _escaped(value: str) -> str:
    if "\\" in value or "\t" in value or "\n" in value or "\r" in value:
        value = value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
    return value


_TEXTS: dict[type, Callable[[Any], str]] = {
    type(None): lambda _value: "\\N",
    bool: lambda value: "t" if value else "f",
    bytes: lambda value: "\\\\x" + value.hex(),
    date: str,
    datetime: str,
    dict: lambda value: _escaped(json.dumps(value)),
    int: str,
    list: lambda value: _escaped(json.dumps(value)),
    str: _escaped,
    uuid.UUID: str,
}


# --- Elsewhere -----------------------------------------------------------------------------------


def _many(columns: _Columns, rows: Iterable[Row]) -> None:
    def prepared(fields: Iterable[models.Field[Any, Any]], values: Iterable[Any]) -> list[Any]:
        return [
            field.get_db_prep_save(value, connection=connection)
            for field, value in zip(fields, values, strict=True)
        ]

    table = connection.ops.quote_name(columns.table)
    places = ", ".join(["%s"] * len(columns.fields))
    tail = prepared(columns.fields[len(columns.varying) :], columns.constants)
    statement = f"INSERT INTO {table} ({columns.names}) VALUES ({places})"  # noqa: S608  # our own names
    with connection.cursor() as cursor:
        for chunk in _chunks(rows):
            cursor.executemany(statement, [prepared(columns.varying, row) + tail for row in chunk])


def _chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    remaining = iter(rows)
    while chunk := list(islice(remaining, _CHUNK)):
        yield chunk
