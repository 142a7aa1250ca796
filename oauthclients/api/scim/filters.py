"""SCIM filters and orders as conditions of the database (RFC 7644 3.4.2.2 and 3.4.2.3). The library parses
and checks them against the models; here each attribute has its column. Nothing is filtered in Python.

A filter on an attribute with several values matches when one of them does; `ne` when none is equal. What
the client does not see (members, roles and managers elsewhere) is not there for its filters either.
"""

from __future__ import annotations

import datetime
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import reduce
from typing import Any

from django.db.models import (
    BooleanField,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import Lower, NullIf
from django.db.models.lookups import Exact, GreaterThan, GreaterThanOrEqual, LessThan, LessThanOrEqual
from django.utils.translation import gettext as _
from scim2_models import InvalidFilterException, InvalidPathException, Resource, ScimFilter, SearchRequest
from scim2_models.path import (
    AttributeBinding,
    AttrPath,
    CompareOperator,
    Comparison,
    FilterNode,
    FilterVisitor,
    LogicalExpr,
    LogicalOperator,
    Not,
    Present,
    ValuePath,
    coerce_value,
)

from accounts.actor import Actor
from accounts.models import ExternalIdentifier, GroupMember, PhoneNumber, Skill, SkillKind, UserState
from accounts.queries import as_uuid
from accounts.services import provisioning
from oauthclients.api.scim.models import EnterpriseUser, GenesysUser, Group, User

LONGEST = 4_000
# SQLite refuses an expression deeper than 1,000; nobody needs so many comparisons.
MOST_COMPARISONS = 100

NOTHING = Q(pk__in=[])
EVERYTHING = ~NOTHING


class Kind(Enum):
    TEXT = auto()  # in whatever case
    LOWER = auto()  # stored in lower case
    EXACT = auto()
    ID = auto()
    FLAG = auto()
    TIME = auto()
    DAY = auto()
    NUMBER = auto()


@dataclass(frozen=True)
class Column:
    """`path` is that of the ORM. `values` are what a flag is made of: the column is one of them."""

    path: str
    kind: Kind = Kind.TEXT
    values: tuple[object, ...] = ()


@dataclass(frozen=True)
class Constant:
    """The same for every row."""

    value: object


Cell = Column | Constant


@dataclass(frozen=True)
class Entry:
    """One value of a complex attribute that lies in the row itself; there where `present` holds."""

    cells: Mapping[str, Cell]
    present: Q = field(default_factory=lambda: EVERYTHING)


@dataclass(frozen=True)
class Related:
    """Values of a complex attribute that are rows of their own, tied to the outer row's `pk`, in the order
    in which they are shown."""

    cells: Mapping[str, Cell]
    rows: QuerySet[Any]
    order: tuple[str, ...] = ("id",)


# An attribute that is a column; or, by the names of its parts, one that is complex.
Attribute = Cell | tuple[Entry, ...] | Related
Attributes = Mapping[str, Attribute]

_META: Mapping[str, Cell] = {
    "created": Column("created_at", Kind.TIME),
    "last_modified": Column("modified_at", Kind.TIME),
}


def of_people(actor: Actor) -> Attributes:
    """The attributes of a person, by URN."""
    core, company, vendor = User.__schema__, EnterpriseUser.__schema__, GenesysUser.__schema__
    outer = OuterRef("pk")
    return {
        f"{core}:id": Column("id", Kind.ID),
        f"{core}:externalId": Column("external_id", Kind.EXACT),
        f"{core}:userName": Column("email", Kind.LOWER),
        f"{core}:displayName": Column("name"),
        f"{core}:title": Column("title"),
        f"{core}:active": Column("state", Kind.FLAG, (UserState.ACTIVE,)),
        f"{core}:name": (
            Entry(
                {
                    "formatted": Column("name"),
                    "given_name": Column("given_name"),
                    "family_name": Column("family_name"),
                }
            ),
        ),
        f"{core}:meta": (Entry({**_META, "resource_type": Constant("User")}),),
        f"{core}:emails": (
            Entry(
                {
                    "value": Column("email", Kind.LOWER),
                    "type": Constant("work"),
                    "primary": Constant(True),
                }
            ),
            Entry(
                {
                    "value": Column("other_email", Kind.LOWER),
                    "type": Constant("other"),
                    "primary": Constant(False),
                },
                ~Q(other_email=""),
            ),
        ),
        f"{core}:phoneNumbers": Related(
            {
                "value": Column("value"),
                "type": Column("kind"),
                "primary": Column("primary", Kind.FLAG, (True,)),
            },
            PhoneNumber.objects.filter(user=outer),
            ("-primary", "id"),
        ),
        f"{core}:groups": Related(
            {
                "value": Column("group_id", Kind.ID),
                "display": Column("group__name"),
                "type": Constant("direct"),
            },
            GroupMember.objects.filter(user=outer),
            ("group__name", "group_id"),
        ),
        f"{core}:roles": Related(
            {"value": Column("role__name")},
            provisioning.grants_seen(actor).filter(subject_id=outer),
            ("role__name", "id"),
        ),
        f"{company}:employeeNumber": Column("employee_number"),
        f"{company}:division": Column("division__name"),
        f"{company}:department": Column("department"),
        f"{company}:dateHire": Column("hired_on", Kind.DAY),
        f"{company}:manager": Related(
            {"value": Column("id", Kind.ID), "display_name": Column("name")},
            provisioning.persons(actor).filter(id=OuterRef("manager_id")),
        ),
        f"{vendor}:routingSkills": _skills(SkillKind.SKILL),
        f"{vendor}:routingLanguages": _skills(SkillKind.LANGUAGE),
        f"{vendor}:externalIds": Related(
            {"authority": Column("authority", Kind.EXACT), "value": Column("value", Kind.EXACT)},
            ExternalIdentifier.objects.filter(user=outer),
        ),
    }


def _skills(kind: SkillKind) -> Related:
    return Related(
        {"name": Column("name", Kind.EXACT), "proficiency": Column("proficiency", Kind.NUMBER)},
        Skill.objects.filter(user=OuterRef("pk"), kind=kind),
        ("name", "id"),
    )


def of_groups(actor: Actor) -> Attributes:
    """The attributes of a group, by URN."""
    core = Group.__schema__
    return {
        f"{core}:id": Column("id", Kind.ID),
        f"{core}:externalId": Column("external_id", Kind.EXACT),
        f"{core}:displayName": Column("name"),
        f"{core}:meta": (Entry({**_META, "resource_type": Constant("Group")}),),
        f"{core}:members": Related(
            {
                "value": Column("user_id", Kind.ID),
                "display": Column("user__name"),
                "type": Constant("User"),
            },
            GroupMember.objects.filter(
                group=OuterRef("pk"), user_id__in=provisioning.persons(actor).values("id")
            ),
            ("user__name", "user_id"),
        ),
    }


# --- Filters -------------------------------------------------------------------------------------


def where(wanted: ScimFilter[Any], attributes: Attributes) -> Q:
    """Raises `InvalidFilterException`."""
    if comparisons(wanted.ast) > MOST_COMPARISONS:
        raise InvalidFilterException(
            detail=_("A filter can have at most %(most)s comparisons.") % {"most": MOST_COMPARISONS}
        )
    return _ToQuery(wanted, attributes).visit(wanted.ast)


def comparisons(node: FilterNode) -> int:
    """How many of its terms look at a value."""
    match node:
        case LogicalExpr():
            return sum(comparisons(term) for term in node.terms)
        case Not():
            return comparisons(node.expr)
        case ValuePath():
            return comparisons(node.val_filter)
        case _:
            return 1


Test = Callable[[Cell], Q]


class _ToQuery(FilterVisitor[Q]):
    """`inside` is the complex attribute whose values a filter in brackets is about."""

    def __init__(
        self,
        wanted: ScimFilter[Any],
        attributes: Attributes,
        inside: AttrPath | None = None,
        cells: Mapping[str, Cell] | None = None,
    ) -> None:
        self.wanted, self.attributes, self.inside, self.cells = wanted, attributes, inside, cells

    def visit_logical_expr(self, node: LogicalExpr) -> Q:
        join = operator.and_ if node.op == LogicalOperator.and_ else operator.or_
        return reduce(join, (self.visit(term) for term in node.terms))

    def visit_not(self, node: Not) -> Q:
        return ~self.visit(node.expr)

    def visit_comparison(self, node: Comparison) -> Q:
        binding = self._bound(node.attr_path, comparison=True)
        value = _operand(binding, node)
        # Of several values: none of them is equal (and none is null).
        op = CompareOperator.eq if node.op == CompareOperator.ne else node.op
        found = self._holds(binding, lambda cell: _compare(cell, op, value, binding))
        return ~found if node.op == CompareOperator.ne else found

    def visit_present(self, node: Present) -> Q:
        return self._holds(self._bound(node.attr_path), _present)

    def visit_value_path(self, node: ValuePath) -> Q:
        binding = self._bound(node.attr_path)
        complex_one = self.attributes.get(binding.urn)
        if complex_one is None or isinstance(complex_one, Column | Constant):
            raise _unsupported(binding)

        def of(cells: Mapping[str, Cell]) -> Q:
            return _ToQuery(self.wanted, self.attributes, node.attr_path, cells).visit(node.val_filter)

        return _any_value(complex_one, of)

    def _bound(self, path: AttrPath, *, comparison: bool = False) -> AttributeBinding:
        if self.inside is not None:
            path = AttrPath(self.inside.attr, path.attr, self.inside.uri)
        bind = self.wanted.resolve_comparison if comparison else self.wanted.resolve
        binding = bind(path)
        assert binding is not None  # the filter is bound to a model
        return binding

    def _holds(self, binding: AttributeBinding, test: Test) -> Q:
        """Whether the test holds for the attribute, or for one of its values."""
        if self.cells is not None:
            return test(_cell(self.cells, binding))
        head = binding.urn.removesuffix(f".{_last(binding)}") if binding.sub_field_name else binding.urn
        attribute = self.attributes.get(head)
        if attribute is None:
            raise _unsupported(binding)
        if isinstance(attribute, Column | Constant):
            return test(attribute)

        def of(cells: Mapping[str, Cell]) -> Q:
            if binding.sub_field_name is not None:
                return test(_cell(cells, binding))
            if test is not _present:
                raise _unsupported(binding)  # a whole value, compared with something simple
            return reduce(operator.or_, map(test, cells.values()))

        return _any_value(attribute, of)


def _any_value(attribute: tuple[Entry, ...] | Related, of: Callable[[Mapping[str, Cell]], Q]) -> Q:
    if isinstance(attribute, Related):
        return Q(Exists(attribute.rows.filter(of(attribute.cells))))
    return reduce(operator.or_, (entry.present & of(entry.cells) for entry in attribute))


def _last(binding: AttributeBinding) -> str:
    return binding.urn.rpartition(".")[2]


def _cell(cells: Mapping[str, Cell], binding: AttributeBinding) -> Cell:
    cell = cells.get(binding.sub_field_name or "")
    if cell is None:
        raise _unsupported(binding)
    return cell


def _unsupported(binding: AttributeBinding) -> InvalidFilterException:
    return InvalidFilterException(detail=_("There is no filter on “%(name)s”.") % {"name": binding.urn})


def _operand(binding: AttributeBinding, node: Comparison) -> Any:
    value = node.value
    texts_only = node.op in (CompareOperator.co, CompareOperator.sw, CompareOperator.ew)
    if texts_only and not isinstance(value, str):
        raise InvalidFilterException(
            detail=_("“%(operator)s” compares texts.") % {"operator": node.op.value}
        )
    if isinstance(value, str) and not _searchable(value):
        raise InvalidFilterException(detail=_("Remove the invisible characters."))
    return coerce_value(binding, value, node.op)


def _searchable(text: str) -> bool:
    """Whether a database can look for it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\x00" not in text


def _present(cell: Cell) -> Q:
    if isinstance(cell, Constant):
        return EVERYTHING
    if cell.kind in (Kind.TEXT, Kind.LOWER, Kind.EXACT):
        return ~Q(**{cell.path: ""})
    return EVERYTHING if cell.kind == Kind.FLAG else Q(**{f"{cell.path}__isnull": False})


def _compare(cell: Cell, op: CompareOperator, value: Any, binding: AttributeBinding) -> Q:
    if value is None:
        return ~_present(cell) if op == CompareOperator.eq else NOTHING
    if isinstance(cell, Constant):
        return EVERYTHING if _constant(cell.value, op, value) else NOTHING
    match cell.kind:
        case Kind.TEXT:
            return _text(cell.path, op, str(value))
        case Kind.LOWER:
            return _plain(cell.path, op, str(value).lower())
        case Kind.EXACT:
            return _plain(cell.path, op, str(value))
        case Kind.FLAG:
            has = Q(**{f"{cell.path}__in": cell.values})
            return has if value else ~has
        case Kind.ID:
            if op != CompareOperator.eq:
                raise _unsupported(binding)
            key = as_uuid(value)
            return Q(**{cell.path: key}) if key else NOTHING
        case Kind.DAY:
            return _ordered(cell.path, op, _day(value, binding), binding)
        case Kind.TIME:
            return _ordered(cell.path, op, _moment(value, binding), binding)
        case Kind.NUMBER:
            return _ordered(cell.path, op, value, binding)


_LOOKUPS: Mapping[CompareOperator, str] = {
    CompareOperator.eq: "exact",
    CompareOperator.co: "contains",
    CompareOperator.sw: "startswith",
    CompareOperator.ew: "endswith",
    CompareOperator.gt: "gt",
    CompareOperator.ge: "gte",
    CompareOperator.lt: "lt",
    CompareOperator.le: "lte",
}
_EXPRESSIONS: Mapping[CompareOperator, Any] = {
    CompareOperator.eq: Exact,
    CompareOperator.gt: GreaterThan,
    CompareOperator.ge: GreaterThanOrEqual,
    CompareOperator.lt: LessThan,
    CompareOperator.le: LessThanOrEqual,
}
_PYTHON: Mapping[CompareOperator, Callable[[Any, Any], Any]] = {
    CompareOperator.eq: operator.eq,
    CompareOperator.co: operator.contains,
    CompareOperator.sw: str.startswith,
    CompareOperator.ew: str.endswith,
    CompareOperator.gt: operator.gt,
    CompareOperator.ge: operator.ge,
    CompareOperator.lt: operator.lt,
    CompareOperator.le: operator.le,
}


def _text(path: str, op: CompareOperator, value: str) -> Q:
    """Both sides in the database's lower case, of which there may be an index."""
    if op in _EXPRESSIONS:
        return Q(_EXPRESSIONS[op](Lower(F(path)), Lower(Value(value))))
    return Q(**{f"{path}__i{_LOOKUPS[op]}": value})


def _plain(path: str, op: CompareOperator, value: str) -> Q:
    return Q(**{f"{path}__{_LOOKUPS[op]}": value})


def _ordered(path: str, op: CompareOperator, value: Any, binding: AttributeBinding) -> Q:
    if op not in _EXPRESSIONS:
        raise _unsupported(binding)
    return Q(**{f"{path}__{_LOOKUPS[op]}": value})


def _constant(held: object, op: CompareOperator, value: object) -> bool:
    if isinstance(held, str):
        held, value = held.lower(), str(value).lower()
    return bool(_PYTHON[op](held, value))


def _day(value: Any, binding: AttributeBinding) -> datetime.date:
    try:
        return datetime.date.fromisoformat(str(value)[:10])
    except ValueError as error:
        raise InvalidFilterException(
            detail=_("“%(name)s” is compared with a day such as 2026-11-20.") % {"name": binding.urn}
        ) from error


def _moment(value: Any, binding: AttributeBinding) -> datetime.datetime:
    if not isinstance(value, datetime.datetime):
        raise _unsupported(binding)
    moment = value if value.tzinfo else value.replace(tzinfo=datetime.UTC)
    try:
        return moment.astimezone(datetime.UTC)
    except OverflowError as error:
        raise _unsupported(binding) from error


# --- Orders --------------------------------------------------------------------------------------


def order(
    search: SearchRequest[Any], model: type[Resource[Any]], attributes: Attributes, default: str
) -> list[Any]:
    """What to order by: rows without a value come last, or first in a descending order. Raises
    `InvalidPathException`."""
    if search.sort_by is None:
        return [default, "id"]
    binding = search.sort_binding(model)
    expression = None if binding is None else _sorted_by(binding, attributes)
    if expression is None:
        raise InvalidPathException(detail=_("There is no order by “%(name)s”.") % {"name": search.sort_by})
    if search.sort_order == SearchRequest.SortOrder.descending:
        return [expression.desc(nulls_first=True), "-id"]
    return [expression.asc(nulls_last=True), "id"]


def _sorted_by(binding: AttributeBinding, attributes: Attributes) -> Any:
    head = binding.urn.removesuffix(f".{_last(binding)}") if binding.sub_field_name else binding.urn
    attribute = attributes.get(head)
    if isinstance(attribute, Related):
        cell = attribute.cells.get(binding.sub_field_name or "")
        if not isinstance(cell, Column):
            return None
        rows = attribute.rows.order_by(*attribute.order).annotate(sorted_by=_expression(cell))
        return Subquery(rows.values("sorted_by")[:1])
    if isinstance(attribute, tuple):
        attribute = attribute[0].cells.get(binding.sub_field_name or "")
    return _expression(attribute) if isinstance(attribute, Column) else None


def _expression(cell: Column) -> Any:
    if cell.kind == Kind.TEXT:
        return NullIf(Lower(F(cell.path)), Value(""))
    if cell.kind in (Kind.LOWER, Kind.EXACT):
        return NullIf(F(cell.path), Value(""))
    if cell.kind == Kind.FLAG:
        return ExpressionWrapper(Q(**{f"{cell.path}__in": cell.values}), BooleanField())
    return F(cell.path)
