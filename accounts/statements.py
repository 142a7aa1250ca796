"""The statements of the hot paths: written with the ORM, compiled once, and run as prepared statements.

The ORM takes longer to put a statement together than the database takes to answer it. Here it does so
once per process; from then on only the values change. What a statement reads, and what becomes of a row, is
still the models' to say. Nothing is remembered of an answer.
"""

from __future__ import annotations

import secrets
import threading
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar, cast

from django.db import (
    DEFAULT_DB_ALIAS,
    InterfaceError,
    NotSupportedError,
    OperationalError,
    connection,
    connections,
    models,
)
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import signals
from django.db.models.base import ModelState
from django.db.models.query import get_related_populators

from accounts import prepared

Row = TypeVar("Row", bound=models.Model)


class Select(Generic[Row]):
    """A query with named parameters, each with the field that says how the database takes its value.

    `build` is called once, with a stand-in for each parameter, and answers the queryset:
    `Select(lambda key: Client.objects.filter(id=key), key=models.UUIDField())(key=...)`.
    """

    def __init__(
        self, build: Callable[..., models.QuerySet[Row]], **parameters: models.Field[Any, Any]
    ) -> None:
        self._build = build
        self._parameters = parameters
        self._compiled: dict[str, _Compiled] = {}
        self._compiling = threading.Lock()

    def __call__(self, **values: Any) -> list[Row]:
        here = connections[DEFAULT_DB_ALIAS]
        compiled = self._compiled.get(here.vendor) or self._compile(here)
        taken = [_taken(field, values[name], here) for name, field in self._parameters.items()]
        sent = [taken[one.index] if type(one) is _Slot else one for one in compiled.values]
        return [compiled.instance(row) for row in _read(here, compiled.sql, sent)]

    def first(self, **values: Any) -> Row | None:
        """The only row that such a statement has, if it has one."""
        rows = self(**values)
        return rows[0] if rows else None

    def _compile(self, here: BaseDatabaseWrapper) -> _Compiled:
        with self._compiling:
            stand_ins = {name: _stand_in(field) for name, field in self._parameters.items()}
            prepared = [
                _plain(field.get_db_prep_value(stand_ins[name], here))
                for name, field in self._parameters.items()
            ]
            compiled = _compiled(self._build(**stand_ins), prepared)
            self._compiled[here.vendor] = compiled
            return compiled


class Insert(Generic[Row]):
    """Adds a row of a model and reads nothing back: the instance has no key of the database's making.

    `always` are columns that have the same value in each such row, whatever the instance says: None, an
    empty text or an empty list.
    """

    def __init__(self, model: type[Row], **always: object) -> None:
        self._model = model
        fields = [one for one in model._meta.concrete_fields if not isinstance(one, models.AutoField)]
        self._fields = [field for field in fields if field.name not in always]
        assert len(fields) == len(self._fields) + len(always), always
        columns = ", ".join(f'"{field.column}"' for field in fields)
        values = ", ".join(
            _EMPTY[repr(always[field.name])] if field.name in always else "%s" for field in fields
        )
        self._sql = f'INSERT INTO "{model._meta.db_table}" ({columns}) VALUES ({values})'  # noqa: S608

    def row(self, **columns: Any) -> Row:
        """An instance to add, of the columns that are neither `always` the same nor `auto_now`."""
        return cast(Row, _maker(self._model, list(columns))(list(columns.values())))

    def __call__(self, instance: Row) -> None:
        here = connections[DEFAULT_DB_ALIAS]
        values = [_taken(field, field.pre_save(instance, True), here) for field in self._fields]
        _fetched(here, self._sql, values)


def _taken(field: models.Field[Any, Any], value: Any, here: BaseDatabaseWrapper) -> Any:
    """How the database takes this value. PostgreSQL takes what these fields hold as it is, and nobody need
    be asked."""
    plain = type(value) is _AS_IT_IS.get(type(field)) and here.vendor == "postgresql"
    if plain and (type(value) is not datetime or value.tzinfo is not None):
        return value
    return field.get_db_prep_save(value, here)


_AS_IT_IS: dict[type, type] = {
    models.UUIDField: uuid.UUID,
    models.CharField: str,
    models.TextField: str,
    models.DateTimeField: datetime,
}

_EMPTY = {"None": "NULL", "''": "''", "[]": "'[]'"}


@dataclass(frozen=True)
class _Slot:
    """Where the value of a parameter goes."""

    index: int


@dataclass(frozen=True)
class _Compiled:
    sql: str
    values: Sequence[Any]
    instance: Callable[[Sequence[Any]], Any]


def _compiled(queryset: models.QuerySet[Any], prepared: list[Any]) -> _Compiled:
    compiler = queryset.query.get_compiler(connection=connection)
    sql, values = compiler.as_sql()
    slots: list[Any] = []
    for value in values:
        plain = _plain(value)
        slots.append(_Slot(prepared.index(plain)) if plain in prepared else value)
    assert {one.index for one in slots if isinstance(one, _Slot)} == set(range(len(prepared))), sql
    return _Compiled(sql, slots, _instances(queryset.model, compiler))


def _instances(model: type[models.Model], compiler: Any) -> Callable[[Sequence[Any]], Any]:
    """What the ORM makes of a row (`django.db.models.query.ModelIterable`), with the preparations made."""
    select, klass, annotations = compiler.select, compiler.klass_info, compiler.annotation_col_map
    fields = klass["select_fields"]
    start, end = fields[0], fields[-1] + 1
    names = [column.target.attname for column, _sql, _alias in select[start:end]]
    made_of = _maker(model, names)
    related = [
        _related(one)
        for one in get_related_populators(klass, select, connection.alias)  # type: ignore[call-arg]
    ]
    # Converting only asks the connection for its features: that of the thread that compiles is as good.
    converters = [
        (position, converter, expression)
        for position, (chain, expression) in compiler.get_converters(
            [one for one, _sql, _alias in select]
        ).items()
        for converter in chain
    ]
    added = list((annotations or {}).items())

    def instance(row: Sequence[Any]) -> Any:
        if converters:
            row = list(row)
            for position, converter, expression in converters:
                row[position] = converter(row[position], expression, connection)
        made = made_of(row[start:end])
        for populate in related:
            populate(row, made)
        for name, position in added:
            made.__dict__[name] = row[position]
        return made

    return instance


def _maker(model: type[models.Model], names: Sequence[str]) -> Callable[[Sequence[Any]], Any]:
    """`model.from_db`, for a model that does nothing of its own there: columns that were not read are not
    there, and are read when somebody asks for them."""
    usual = models.Model
    own = (
        model.__init__ is not usual.__init__ or model.from_db.__func__ is not usual.from_db.__func__  # type: ignore[attr-defined]
    )
    if own or signals.pre_init.has_listeners(model) or signals.post_init.has_listeners(model):
        return lambda values: model.from_db(DEFAULT_DB_ALIAS, names, values)

    def made_of(values: Sequence[Any]) -> Any:
        made = model.__new__(model)
        state = ModelState()
        state.adding, state.db = False, DEFAULT_DB_ALIAS
        columns = made.__dict__
        columns["_state"] = state
        columns.update(zip(names, values, strict=True))
        return made

    return made_of


def _related(populator: Any) -> Callable[[Sequence[Any], Any], None]:
    """`django.db.models.query.RelatedPopulator.populate`, with `_maker`."""
    if populator.reorder_for_init:  # of a model that inherits columns; there is none
        usual: Callable[[Sequence[Any], Any], None] = populator.populate
        return usual
    start, end = populator.cols_start, populator.cols_end
    key = start + populator.pk_idx
    made_of = _maker(populator.model_cls, populator.init_list)
    further = [_related(one) for one in populator.related_populators]

    def populate(row: Sequence[Any], of: Any) -> None:
        made = None
        if row[key] is not None:
            made = made_of(row[start:end])
            for one in further:
                one(row, made)
        populator.local_setter(of, made)
        if made is not None:
            populator.remote_setter(made, of)

    return populate


def _read(here: BaseDatabaseWrapper, sql: str, values: list[Any]) -> list[Sequence[Any]]:
    try:
        return _fetched(here, sql, values)
    except (OperationalError, InterfaceError, NotSupportedError) as error:
        # A connection that was kept open, and that the database has closed meanwhile, or a plan that a
        # migration has made void: nothing was read yet, and nothing written, so it is asked again on a new
        # one.
        void = isinstance(error, NotSupportedError)
        if here.in_atomic_block or here.connection is None or (here.is_usable() and not void):
            raise
        here.close()
        return _fetched(here, sql, values)


def _fetched(here: BaseDatabaseWrapper, sql: str, values: list[Any]) -> list[Sequence[Any]]:
    """The rows of this statement, which PostgreSQL has read and planned once per connection."""
    if here.vendor == "postgresql" and not _is_watched(here):
        # Whether a connection that was kept is still there is not asked first: `_read` finds out, and takes
        # another one.
        here.ensure_connection()
        here.validate_no_broken_transaction()
        if prepared.can_ask(here):
            with here.wrap_database_errors:
                rows: list[Sequence[Any]] = [*prepared.rows(here, sql, values)]
            here.health_check_done = True  # type: ignore[attr-defined]  # what follows need not ask either
            return rows
    with here.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall() if cursor.description else []


def _is_watched(here: BaseDatabaseWrapper) -> bool:
    """Whether somebody counts or logs the statements, for which they must pass through Django's cursor."""
    return bool(here.queries_logged or here.execute_wrappers)


def _stand_in(field: models.Field[Any, Any]) -> Any:
    """A value that no statement has by chance."""
    if isinstance(field, models.UUIDField):
        return uuid.uuid4()
    if isinstance(field, models.BinaryField):
        return secrets.token_bytes(16)
    if isinstance(field, models.DateTimeField):
        return datetime(2001, 1, 1, tzinfo=UTC) + timedelta(microseconds=secrets.randbelow(10**12))
    return secrets.token_hex(16)


def _plain(value: Any) -> Any:
    """What can be compared: psycopg wraps bytes."""
    value = getattr(value, "obj", value)
    return bytes(value) if isinstance(value, memoryview) else value
