"""What the file says (docs/as-code.md): clients, and an organization's word on apps. A field that is not
there is left as it is, so each is None where the file does not have it."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from accounts.queries import as_uuid
from oauthclients import grant_types
from oauthclients.as_code import tree
from oauthclients.as_code.places import Place, Refused, Troubles, meant
from oauthclients.models import ClientState

T = TypeVar("T")

VERSION = "1"
CLIENT_KEYS = (
    "id",
    "name",
    "description",
    "grant_type",
    "state",
    "token_duration",
    "roles",
    "redirect_uris",
    "scopes",
    "authorization",
)
_SECRETS = frozenset({"secret", "secrets", "client_secret", "clientsecret", "password", "token"})
_WHOLE = re.compile(r"0|[1-9][0-9]{0,17}")


class Word(StrEnum):
    """An organization's word on an app. `refused` is both a first no and one that took a yes back."""

    AUTHORIZED = "authorized"
    REFUSED = "refused"


@dataclass(frozen=True)
class Written:
    value: str
    place: Place


@dataclass(frozen=True)
class Number:
    value: int
    place: Place


@dataclass(frozen=True)
class PairWritten:
    """`division` is None for all divisions. `place` is where the division, or `all_divisions`, stands."""

    role: Written
    division: Written | None
    place: Place


@dataclass(frozen=True)
class AuthorizationWritten:
    """`client_id` is None where it stands beside the client that it is about."""

    place: Place
    client_id: Written | None
    state: Written | None
    scopes: tuple[Written, ...] | None
    roles: tuple[Written, ...] | None
    keys: Mapping[str, Place] = field(default_factory=dict)


@dataclass(frozen=True)
class ClientWritten:
    """`keys` says where to point for each field."""

    place: Place
    name: Written
    id: Written | None = None
    description: Written | None = None
    grant_type: Written | None = None
    state: Written | None = None
    token_duration: Number | None = None
    roles: tuple[PairWritten, ...] | None = None
    redirect_uris: tuple[Written, ...] | None = None
    scopes: tuple[Written, ...] | None = None
    authorization: AuthorizationWritten | None = None
    keys: Mapping[str, Place] = field(default_factory=dict)

    @property
    def key(self) -> uuid.UUID | None:
        return as_uuid(self.id.value) if self.id else None


@dataclass(frozen=True)
class Document:
    """`organization` is the short name that the file is meant for, if it says so."""

    organization: Written | None
    clients: tuple[ClientWritten, ...]
    authorizations: tuple[AuthorizationWritten, ...]


def read(data: bytes) -> Document:
    """Raises `Refused`, with all that is wrong with keys and types."""
    root = tree.read(data)
    reading = _Reading()
    top = reading.keys(root, "The file", ("version", "organization", "clients", "authorizations"))
    if top is None:
        raise Refused(reading.troubles.found)
    reading.version(top)
    document = Document(
        organization=reading.text(top, "organization"),
        clients=reading.each(top, "clients", reading.client),
        authorizations=reading.each(top, "authorizations", reading.other_authorization),
    )
    # Two that an id tells apart may have names that only the database can tell apart.
    reading.twice((client.name for client in document.clients if client.id is None), fold=True)
    reading.twice(client.id for client in document.clients if client.id)
    reading.twice(one.client_id for one in document.authorizations if one.client_id)
    reading.troubles.raise_if_any()
    return document


def _places(fields: tree.Fields) -> dict[str, Place]:
    """Where something wrong with a field is pointed at: at its text, or at the key of its list."""
    return {
        key: value.place if isinstance(value, tree.Text) else place
        for key, (place, value) in fields.entries.items()
    }


class _Reading:
    def __init__(self) -> None:
        self.troubles = Troubles()

    # --- The parts of the file ---

    def version(self, top: tree.Fields) -> None:
        place, value = top.entries.get("version", (top.place, None))
        if not isinstance(value, tree.Text) or value.value != VERSION:
            where = value.place if value else place
            self.troubles.add(f"Say which form of file this is: “version: {VERSION}”.", where)

    def client(self, node: tree.Node) -> ClientWritten | None:
        fields = self.keys(node, "A client", CLIENT_KEYS)
        if fields is None:
            return None
        name = self.text(fields, "name")
        if name is None:
            if "name" not in fields.entries:
                self.troubles.add("A client needs a name.", fields.place)
            return None
        authorization = None
        if found := fields.entries.get("authorization"):
            authorization = self.authorization(found[1])
        return ClientWritten(
            place=fields.place,
            name=name,
            id=self.id(fields, "id"),
            description=self.text(fields, "description"),
            grant_type=self.one_of(fields, "grant_type", grant_types.BY_WIRE),
            state=self.one_of(fields, "state", ClientState.values),
            token_duration=self.number(fields, "token_duration"),
            roles=self.pairs(fields),
            redirect_uris=self.texts(fields, "redirect_uris"),
            scopes=self.texts(fields, "scopes"),
            authorization=authorization,
            keys=_places(fields),
        )

    def pairs(self, fields: tree.Fields) -> tuple[PairWritten, ...] | None:
        if "roles" not in fields.entries:
            return None
        return tuple(pair for pairs in self.each(fields, "roles", self.role) for pair in pairs)

    def role(self, node: tree.Node) -> list[PairWritten] | None:
        if isinstance(node, tree.Text):
            self.troubles.add("A role is given with its divisions: “role:” and “divisions:”.", node.place)
            return None
        fields = self.keys(node, "A role", ("role", "divisions", "all_divisions"))
        if fields is None:
            return None
        role = self.text(fields, "role")
        if role is None:
            if "role" not in fields.entries:
                self.troubles.add("Say which role: “role: ”.", fields.place)
            return None
        everywhere = fields.entries.get("all_divisions")
        if ("divisions" in fields.entries) == (everywhere is not None):
            self.troubles.add("Give “divisions:”, or else “all_divisions: true”.", fields.place)
            return None
        if everywhere is not None:
            place, value = everywhere
            if not isinstance(value, tree.Text) or not value.plain or value.value != "true":
                self.troubles.add("“all_divisions” can only be true. Else give “divisions:”.", value.place)
            return [PairWritten(role, None, place)]
        divisions = self.texts(fields, "divisions")
        if divisions == ():
            self.troubles.add("A role needs at least one division.", fields.entries["divisions"][0])
        return [PairWritten(role, division, division.place) for division in divisions or ()]

    def authorization(self, node: tree.Node, *, of_others: bool = False) -> AuthorizationWritten | None:
        known = ("state", "scopes", "roles")
        fields = self.keys(node, "An authorization", ("client_id", *known) if of_others else known)
        if fields is None:
            return None
        client_id = self.id(fields, "client_id") if of_others else None
        if of_others and "client_id" not in fields.entries:
            self.troubles.add("Say which app: “client_id: ”.", fields.place)
        state = self.one_of(fields, "state", list(Word))
        if "state" not in fields.entries:
            self.troubles.add("Give “state: authorized” or “state: refused”.", fields.place)
        elif state is not None and state.value == Word.REFUSED:
            for key in ("scopes", "roles"):
                if key in fields.entries:
                    self.troubles.add(f"An app that is refused has no {key}.", fields.entries[key][0])
        return AuthorizationWritten(
            place=fields.place,
            client_id=client_id,
            state=state,
            scopes=self.texts(fields, "scopes"),
            roles=self.texts(fields, "roles"),
            keys=_places(fields),
        )

    def other_authorization(self, node: tree.Node) -> AuthorizationWritten | None:
        return self.authorization(node, of_others=True)

    def twice(self, texts: Iterable[Written], *, fold: bool = False) -> None:
        first: dict[str, Written] = {}
        for text in texts:
            key = " ".join(text.value.split()).lower() if fold else str(as_uuid(text.value))
            if key in first:
                message = f"‘{text.value}’ is on line {first[key].place.line} as well."
                self.troubles.add(message, text.place)
            first.setdefault(key, text)

    # --- Values ---

    def keys(self, node: tree.Node, what: str, known: tuple[str, ...]) -> tree.Fields | None:
        """The mapping, without what it must not have."""
        if not isinstance(node, tree.Fields):
            self.troubles.add(f"{what} is written as “key: value”: {', '.join(known)}.", node.place)
            return None
        for key, (place, _value) in node.entries.items():
            if key in known:
                continue
            if key.lower().replace("-", "_") in _SECRETS:
                message = "Secrets are not kept in this file. New ones go where --secrets-file says."
            elif key == "<<":
                message = "Merging (<<) is not read. Write the values out."
            else:
                message = (
                    f"There is no ‘{key}’ here.{meant(key, known) or ' Known: ' + ', '.join(known) + '.'}"
                )
            self.troubles.add(message, place)
        return node

    def each(
        self, fields: tree.Fields, key: str, read_one: Callable[[tree.Node], T | None]
    ) -> tuple[T, ...]:
        _place, value = fields.entries.get(key, (None, None))
        if value is None:
            return ()
        if not isinstance(value, tree.Many):
            self.troubles.add(f"‘{key}’ is a list: each on a line that begins with “- ”.", value.place)
            return ()
        return tuple(one for node in value.items if (one := read_one(node)) is not None)

    def texts(self, fields: tree.Fields, key: str) -> tuple[Written, ...] | None:
        if key not in fields.entries:
            return None
        return self.each(fields, key, lambda node: self.as_text(node, key))

    def text(self, fields: tree.Fields, key: str) -> Written | None:
        return self.as_text(fields.entries[key][1], key) if key in fields.entries else None

    def as_text(self, node: tree.Node, key: str) -> Written | None:
        if not isinstance(node, tree.Text):
            self.troubles.add(f"‘{key}’ is a text.", node.place)
        elif node.plain and not node.value:
            self.troubles.add(
                f'‘{key}’ has no value. Write "" for an empty text, or leave the line out.', node.place
            )
        elif node.plain and tree.means_something_else(node.value):
            self.troubles.add(
                f"‘{node.value}’ without quotes is not a text to every reader of YAML. "
                f'Write "{node.value}".',
                node.place,
            )
        else:
            return Written(node.value, node.place)
        return None

    def one_of(self, fields: tree.Fields, key: str, known: Iterable[str]) -> Written | None:
        text = self.text(fields, key)
        if text is not None and text.value not in known:
            names = ", ".join(known)
            self.troubles.add(f"‘{text.value}’ is no {key}. It must be one of: {names}.", text.place)
            return None
        return text

    def id(self, fields: tree.Fields, key: str) -> Written | None:
        text = self.text(fields, key)
        if text is not None and as_uuid(text.value) is None:
            self.troubles.add(f"‘{text.value}’ is not the ID of a client.", text.place)
            return None
        return text

    def number(self, fields: tree.Fields, key: str) -> Number | None:
        if key not in fields.entries:
            return None
        node = fields.entries[key][1]
        if isinstance(node, tree.Text) and node.plain and _WHOLE.fullmatch(node.value):
            return Number(int(node.value), node.place)
        self.troubles.add(f"‘{key}’ is a whole number of seconds, such as 86400.", node.place)
        return None
