"""What an access comes to: the permissions in each division, and the routes of the API that they open,
decided as the API decides each call."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from accounts.permissions import CATALOGUE, expand, label_of
from accounts.rules import footing
from accounts.rules.access import Access, HeldRole
from accounts.services.grants import NamedPair
from oauthclients.api import routes
from oauthclients.api.routes import Route
from oauthclients.explain import decision
from oauthclients.explain.decision import NOWHERE, Place
from oauthclients.resource_server.guard import Where
from oauthclients.rules.effective_access import EffectiveAccess


@dataclass(frozen=True)
class Opened:
    """A route, and the permissions and scopes by which it is open; none: to everybody with a token."""

    route: Route
    by: tuple[str, ...]


@dataclass(frozen=True)
class Part:
    """What may be done in these divisions, and not in all."""

    where: str
    labels: tuple[str, ...]
    routes: tuple[Opened, ...]


def access_of(pairs: Iterable[NamedPair]) -> Access:
    return Access(
        held=tuple(
            HeldRole(
                role_id=named.role.id,
                role_name=named.role.name,
                division_id=named.division.id if named.division else None,
                permissions=expand(named.role.policies),
            )
            for named in pairs
        )
    )


def names_of(pairs: Iterable[NamedPair]) -> dict[uuid.UUID, str]:
    """The divisions of these pairs by name."""
    return {named.division.id: named.division.name for named in pairs if named.division}


def parts(
    effective: EffectiveAccess, divisions: Mapping[uuid.UUID, str], *, for_person: bool
) -> list[Part]:
    """First what counts in every division, then these divisions: those where the same is held together, for
    the routes are asked once for all of them."""
    if not effective.barrier:
        return []
    same: dict[frozenset[str], list[Place]] = {}
    for id, name in sorted(divisions.items(), key=lambda item: item[1].casefold()):
        place = Place(id, name)
        same.setdefault(_held(effective, place), []).append(place)
    everywhere = _held(effective, NOWHERE)
    with footing.aside():
        opened = tuple(_opened(effective, everywhere, NOWHERE, for_person=for_person))
        found = [Part(_("In every division"), _labels(everywhere), opened)]
        for held, places in same.items():
            if held == everywhere:
                continue
            there = _opened(effective, held, places[0], for_person=for_person)
            found.append(
                Part(
                    ", ".join(place.name for place in places),
                    _labels(held - everywhere),
                    tuple(one for one in there if one not in opened),
                )
            )
    return [part for part in found if part.labels or part.routes]


def _labels(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(label_of(name) for name in names))


def _held(effective: EffectiveAccess, place: Place) -> frozenset[str]:
    """What is held there, or where it makes no difference."""
    return frozenset(
        name
        for name, where in effective.access.by_permission.items()
        if not CATALOGUE[name].division_aware or place.id in where
    )


def _opened(
    effective: EffectiveAccess, held: frozenset[str], place: Place, *, for_person: bool
) -> Iterator[Opened]:
    for route in routes.every():
        needed = route.requirement
        if needed.where is Where.LISTED and needed.any_of and held.isdisjoint(needed.any_of):
            continue  # answered, with nothing of that division in it
        if not decision.whole(needed, effective, for_person=for_person, place=place):
            continue
        by = [name for name in needed.any_of if name in held]
        by += (
            [] if effective.scopes is None else [name for name in needed.scopes if name in effective.scopes]
        )
        yield Opened(route, tuple(by))
