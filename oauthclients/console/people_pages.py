"""The page of one person, by its tabs; each has an address of its own. The roles are in people_roles.py."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts import audit, queries
from accounts.actor import Actor
from accounts.console import trail_links
from accounts.console.guard import actor_of, requires
from accounts.models import AuditEvent, Skill, SkillKind, Source, User, UserState
from accounts.permissions import CATALOGUE, DOMAIN_LABELS, Permission
from accounts.rules import roles_seen
from accounts.rules.access import Access
from oauthclients import queries as client_queries
from oauthclients import scopes
from oauthclients.console import audit_words, drifted, people_rights, people_words, words
from oauthclients.console.people_edit import breadcrumbs
from oauthclients.console.people_rights import Rights
from oauthclients.services import tokens

PER_PAGE = 25
LAST_PAGE = 400


def frame(actor: Actor, person: User, tab: str) -> dict[str, Any]:
    """What every tab shows: the head with its menu, and the tabs themselves. `person` is whoever is signed
    in (config/navigation.py), so this one is `shown`."""
    may = people_rights.of(actor, person)
    return {
        "breadcrumbs": [*breadcrumbs()[:2], {"label": str(person)}],
        "shown": person,
        "may": may,
        "state": people_words.state(person),
        "tabs": people_rights.tabs(person, may, tab),
        "menu": [entry for entry in people_rights.entries(person, may) if _in_menu(entry, person)],
    }


def _in_menu(entry: dict[str, Any], person: User) -> bool:
    """What has no button beside the heading, and no tab."""
    return entry["url"] not in {reverse(name, args=[person.id]) for name in ("person-edit", "person-roles")}


# --- Profile ---------------------------------------------------------------------------------------


@require_safe
@requires(Permission.DIRECTORY_USER_VIEW)
def profile(request: HttpRequest, user_id: uuid.UUID) -> HttpResponse:
    actor = actor_of(request)
    person = people_rights.seen(actor, user_id)
    context = frame(actor, person, "person")
    may: Rights = context["may"]
    return render(
        request,
        "people/person.html",
        {
            **context,
            "about": _about(actor, person),
            "work": _work(actor, person),
            "phones": [
                {
                    "label": people_words.PHONES.get(number.kind, number.kind),
                    "value": number.value,
                    "primary": number.primary,
                }
                for number in person.phone_numbers.all()
            ],
            "account": _account(person),
            "by_scim": person.source == Source.SCIM,
            "sign_in": _sign_in(person),
            "drifted": drifted.sentences(actor.organization, person.id) if may.roles else [],
        },
    )


def _about(actor: Actor, person: User) -> list[dict[str, Any]]:
    return _filled(
        (_("Name"), person.name),
        (_("Given name"), person.given_name),
        (_("Family name"), person.family_name),
        (_("Email"), person.email),
        (_("Other email"), person.other_email),
    )


def _work(actor: Actor, person: User) -> list[dict[str, Any]]:
    manager = person.manager
    seen = manager is not None and manager.division_id in actor.access.divisions_for(
        Permission.DIRECTORY_USER_VIEW
    )
    skills = list(person.skills.all())
    found = _filled(
        (_("Division"), person.division.name),
        (_("Title"), person.title),
        (_("Department"), person.department),
        (_("Employee number"), person.employee_number),
        (_("Hired on"), person.hired_on),
    )
    if manager is not None and seen:
        found.append(
            {"label": _("Manager"), "value": str(manager), "url": reverse("person", args=[manager.id])}
        )
    elif manager is not None:
        found.append({"label": _("Manager"), "value": audit_words.HIDDEN})
    for label, values in (
        (_("Groups"), [group.name for group in person.groups_in.all()]),
        (_("Skills"), _with_levels(skills, SkillKind.SKILL)),
        (_("Languages"), _with_levels(skills, SkillKind.LANGUAGE)),
    ):
        if values:
            found.append({"label": label, "values_list": values})
    return found


def _with_levels(skills: Iterable[Skill], kind: SkillKind) -> list[str]:
    return [f"{one.name}: {one.proficiency:g}" for one in skills if one.kind == kind]


def _account(person: User) -> list[dict[str, Any]]:
    return [
        {"label": _("Source"), "value": person.get_source_display()},
        *_filled((_("External ID"), person.external_id)),
        *(
            {"label": _("ID in ‘%(system)s’") % {"system": one.authority}, "value": one.value}
            for one in person.external_ids.all()
        ),
        {"label": _("ID"), "value": str(person.id), "mono": True, "copyable": True},
    ]


def _filled(*items: tuple[str, Any]) -> list[dict[str, Any]]:
    return [{"label": label, "value": value} for label, value in items if value]


def _sign_in(person: User) -> dict[str, Any]:
    """How they sign in: whether they have a password, and an invitation that is on its way."""
    invitation = getattr(person, "invitation", None)
    return {
        "password": person.has_usable_password(),
        "passwords": people_rights.has_a_password(person),
        "invitation": invitation,
        "over": invitation is not None and invitation.expires_at <= timezone.now(),
    }


# --- Permissions -----------------------------------------------------------------------------------


@require_safe
@requires(Permission.DIRECTORY_USER_VIEW)
def permissions(request: HttpRequest, user_id: uuid.UUID) -> HttpResponse:
    """What their roles come to, decided by the same rules as every request."""
    actor = actor_of(request)
    person = people_rights.seen(actor, user_id)
    context = frame(actor, person, "person-permissions")
    require_roles_seen(actor, person)
    access = queries.access_of(person.organization_id, person.id)
    return render(
        request,
        "people/permissions.html",
        {**context, "places": _by_place(actor, access), "active": person.state == UserState.ACTIVE},
    )


def require_roles_seen(actor: Actor, person: User) -> None:
    """Raises `NotAllowed` for whoever may not see what this person holds."""
    roles_seen.decide_to_give(actor, person).require()


def _by_place(actor: Actor, access: Access) -> list[dict[str, Any]]:
    """What is held everywhere, then what is held besides in each division, by domain."""
    held = access.by_permission
    anywhere = {name for name, where in held.items() if access.covers(name, None)}
    places = [(_("In every division"), _by_domain(anywhere))]
    used = set().union(*(where.ids for where in held.values())) if held else set()
    for division in queries.divisions(actor.organization).filter(id__in=used):
        here = {name for name, where in held.items() if name not in anywhere and division.id in where}
        places.append((division.name, _by_domain(here)))
    return [
        {"name": name, "domains": domains, "count": sum(len(domain["names"]) for domain in domains)}
        for name, domains in places
        if domains
    ]


def _by_domain(names: Iterable[str]) -> list[dict[str, Any]]:
    """ "Directory": "User > View", …"""
    found: dict[str, list[str]] = defaultdict(list)
    for name in names:
        info = CATALOGUE[name]
        domain = str(DOMAIN_LABELS.get(info.domain, info.domain))
        found[domain].append(info.label.partition(" > ")[2])
    return [{"label": domain, "names": sorted(found[domain])} for domain in sorted(found)]


# --- Apps and tokens -------------------------------------------------------------------------------


@require_safe
@requires(Permission.OAUTH_TOKEN_DELETE, Permission.OAUTH_TOKEN_VIEW)
def apps(request: HttpRequest, user_id: uuid.UUID) -> HttpResponse:
    actor = actor_of(request)
    actor.require(Permission.DIRECTORY_USER_VIEW)
    person = people_rights.seen(actor, user_id)
    uses = client_queries.last_uses_for(person.id)
    return render(
        request,
        "people/apps.html",
        {
            **frame(actor, person, "person-apps"),
            "live": words.number(tokens.live_of_person(person)),
            "apps": [
                {
                    "consent": consent,
                    "client": consent.client,
                    "last_used": uses.get(consent.client_id),
                    "scopes": [
                        scopes.CATALOGUE[name].for_administrators
                        for name in consent.scope
                        if name in scopes.CATALOGUE
                    ],
                }
                for consent in client_queries.consents(actor.organization, person.id)
            ],
        },
    )


# --- Activity --------------------------------------------------------------------------------------


@require_safe
@requires(Permission.DIRECTORY_USER_VIEW)
def activity(request: HttpRequest, user_id: uuid.UUID) -> HttpResponse:
    """What was done to the person and, for whoever may read the audit trail, by them."""
    actor = actor_of(request)
    person = people_rights.seen(actor, user_id)
    context = frame(actor, person, "person-activity")
    may: Rights = context["may"]
    about = Q(entity_id=person.id)
    events = AuditEvent.objects.filter(organization_id=actor.organization.id)
    events = events.filter(about | Q(actor_id=person.id) if may.trail else about)
    if not may.roles:
        events = events.exclude(action=audit.Action.GRANTS_CHANGED)
    number = _page_number(request.GET.get("page", ""))
    first = (number - 1) * PER_PAGE
    # Not counted: nobody needs the number, and the trail is long.
    found = list(events.order_by("-at", "-id")[first : first + PER_PAGE + 1])
    managers = audit_words.managers(actor, found)
    here = reverse("person-activity", args=[person.id])
    return render(
        request,
        "people/activity.html",
        {
            **context,
            "about_url": trail_links.all_about(actor, person.id),
            "by_url": trail_links.all_by(actor, person.id),
            "lines": [_line(event, person, managers) for event in found[:PER_PAGE]],
            "newer_url": f"{here}?page={number - 1}" if number > 1 else "",
            "older_url": f"{here}?page={number + 1}"
            if len(found) > PER_PAGE and number < LAST_PAGE
            else "",
        },
    )


def _page_number(text: str) -> int:
    number = int(text) if text.isdecimal() and len(text) < 6 else 1
    return min(max(number, 1), LAST_PAGE)


def _line(event: AuditEvent, person: User, managers: Mapping[str, str]) -> dict[str, Any]:
    return {
        "at": event.at,
        "who": event.actor_name,
        "via": event.via_name,
        "did": audit_words.sentence(event.action),
        "what": "" if event.entity_id == person.id else event.entity_name,
        "rows": audit_words.changes(event, managers),
    }
