"""What is there, written as the file. The same for the same, byte by byte: names in one order, quotes only
where they are needed, and a client's redirect URIs in the order in which it has them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from oauthclients.as_code import tree
from oauthclients.as_code.document import VERSION, Word
from oauthclients.as_code.places import visible
from oauthclients.as_code.state import ClientNow, State, in_order, word
from oauthclients.models import ClientAuthorization

_PLAIN = re.compile(r"[A-Za-z](?:[A-Za-z0-9_./@+?=&%~-]|:(?=[A-Za-z0-9/])| (?=[A-Za-z0-9]))*")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def text(state: State) -> str:
    return "".join(f"{line}\n" for line in _lines(state))


def _lines(state: State) -> Iterator[str]:
    yield f"# The OAuth clients of {visible(state.organization.name)}, for `manage.py clients plan FILE`."
    yield "# Secrets are not in it. Token durations are in seconds. What is taken out of it is left alone."
    pending = [now for now in state.clients.values() if now.row.date_to_delete is not None]
    for now in pending:
        yield f"# Pending deletion, so not in it: {scalar(now.row.name)} ({now.row.id})"
    if not state.sees_authorizations:
        yield "# Authorizations are not in it: to see them takes oauth:client:authorize."
    yield f"version: {VERSION}"
    yield f"organization: {scalar(state.organization.short_name)}"
    yield ""
    clients = [now for now in state.clients.values() if now.row.date_to_delete is None]
    yield "clients:" if clients else "clients: []"
    for now in sorted(clients, key=lambda now: (now.row.name.lower(), now.row.name)):
        yield from _client(state, now)
    others = [row for row in state.other_apps.values() if word(row)]
    if others:
        yield ""
        yield "# Apps of other organizations."
        yield "authorizations:"
    for row in sorted(others, key=lambda row: (row.client.name.lower(), row.client.name, row.client_id)):
        app, owner = visible(row.client.name), visible(row.client.organization.name)
        yield f"  - client_id: {row.client_id}  # {app}, of {owner}"
        yield from _authorization(state, row, "    ")


def _client(state: State, now: ClientNow) -> Iterator[str]:
    row = now.row
    yield f"  - id: {row.id}"
    yield f"    name: {scalar(row.name)}"
    yield f"    description: {scalar(row.description)}"
    yield f"    grant_type: {now.grant.wire}"
    yield f"    state: {row.state}"
    yield f"    token_duration: {row.token_seconds}"
    if now.grant.uses_roles:
        yield from _roles(now)
    if now.grant.uses_redirect_uris:
        yield from _list("redirect_uris", row.redirect_uri_list, "    ")
    if now.grant.uses_scopes:
        yield from _list("scopes", in_order(row.scope), "    ")
        if now.authorization is not None and word(now.authorization) and state.sees_authorizations:
            yield "    authorization:"
            yield from _authorization(state, now.authorization, "      ")


def _roles(now: ClientNow) -> Iterator[str]:
    yield "    roles:" if now.pairs else "    roles: []"
    last = None
    for named in now.pairs:
        goes_on = named.division is not None and last is not None and named.role == last
        if not goes_on:
            yield f"      - role: {scalar(named.role.name)}"
        if named.division is None:
            yield "        all_divisions: true"
        else:
            if not goes_on:
                yield "        divisions:"
            yield f"          - {scalar(named.division.name)}"
        last = named.role if named.division is not None else None


def _authorization(state: State, row: ClientAuthorization, indent: str) -> Iterator[str]:
    yield f"{indent}state: {word(row)}"
    if word(row) == Word.AUTHORIZED:
        yield from _list("scopes", in_order(row.scope), indent)
        yield from _list("roles", state.role_names(row), indent)


def _list(key: str, items: Iterable[str], indent: str) -> Iterator[str]:
    items = list(items)
    yield f"{indent}{key}:" if items else f"{indent}{key}: []"
    for item in items:
        yield f"{indent}  - {scalar(item)}"


def scalar(value: str) -> str:
    """A text on one line, in double quotes unless every reader of YAML takes it for that text without."""
    if _PLAIN.fullmatch(value) and not tree.means_something_else(value):
        return value
    escaped = "".join(_ESCAPES.get(letter) or visible(letter) for letter in value)
    return f'"{escaped}"'
