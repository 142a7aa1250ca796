"""Oversight: the audit log, the access review, what a client used."""

from __future__ import annotations

from datetime import timedelta

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone

from accounts.models import Organization
from oauthclients.models import Client, ClientSecret, Usage
from oauthclients.services import refusals
from tests.oauthclients.console.test_access_review import uses, watched
from tests.oauthclients.services.test_authorizations import app
from tests.screens.catalogue import screen
from tests.screens.scenes.clients import LONG, ONE_WORD, of, several
from tests.screens.stage import Stage

# --- Audit log -----------------------------------------------------------------------------------


@screen("audit-log")
def audit_of_a_busy_day(stage: Stage) -> HttpResponse:
    several(stage)
    stage.send(stage.ada, of(Client.objects.get(name="Billing sync"), "edit"), form="edit", name="Renamed")
    return stage.ada.get(reverse("audit-log"))


@screen("audit-log")
def audit_that_nothing_matches(stage: Stage) -> HttpResponse:
    return stage.ada.get(reverse("audit-log") + "?q=nothing+like+this&kind=user&name=nobody")


@screen("audit-log")
def audit_with_errors(stage: Stage) -> HttpResponse:
    return stage.ada.get(reverse("audit-log") + "?from=yesterday&to=2020-13-01")


# --- Access review -------------------------------------------------------------------------------


def review(stage: Stage, part: str) -> HttpResponse:
    """What is held, and what of it is used."""
    cast = stage.cast
    pairs = (("Supervisor", cast.home), ("Supervisor", cast.east), ("Admin", None))
    client, _secret = cast.client(*pairs, name=LONG)
    uses(cast, client, "Supervisor", cast.home, days_ago=3)
    watched(client)
    watched(app(cast, name="Portal"))
    idle, _secret = cast.client(("Supervisor", cast.west), name=ONE_WORD)
    Client.objects.filter(id=idle.id).update(created=timezone.now() - timedelta(days=200))
    ClientSecret.objects.filter(client=client).update(ends_at=timezone.now() + timedelta(days=3))
    cast.client(("Supervisor", cast.home), name="Drifting", by=cast.ben)
    cast.give(cast.ben, ("Client Manager", cast.home))
    return stage.ada.get(reverse("access-review") + f"?show={part}")


@screen("access-review")
def review_of_access(stage: Stage) -> HttpResponse:
    return review(stage, "access")


@screen("access-review")
def review_of_scopes(stage: Stage) -> HttpResponse:
    Organization.objects.update(enforce_scopes=False)
    return review(stage, "scopes")


@screen("access-review")
def review_of_clients_that_nobody_uses(stage: Stage) -> HttpResponse:
    return review(stage, "unused")


@screen("access-review")
def review_of_roles_for_which_nobody_answers(stage: Stage) -> HttpResponse:
    return review(stage, "drift")


@screen("access-review")
def review_of_secrets_about_to_end(stage: Stage) -> HttpResponse:
    return review(stage, "secrets")


@screen("access-review")
def review_that_found_nothing(stage: Stage) -> HttpResponse:
    return stage.ada.get(reverse("access-review"))


# --- Usage ---------------------------------------------------------------------------------------


@screen("oauth-client-usage")
def usage_of_a_month(stage: Stage) -> HttpResponse:
    client, _secret = stage.cast.client(("Supervisor", stage.cast.home))
    for days, route in enumerate(
        ("/oauth/token", "/api/v2/users", "/api/v2/authorization/divisionspermitted/paged/me")
    ):
        Usage.objects.create(
            organization_id=stage.cast.acme.id,
            client_id=client.id,
            day=timezone.now().date() - timedelta(days=days * 3),
            method="GET",
            route=route,
            requests=1_234 * (days + 1),
            status_200=1_200 * (days + 1),
            status_300=0,
            status_400=34 * (days + 1),
            status_500=0,
            status_429=0,
        )
    Client.objects.update(last_used_at=timezone.now())
    return stage.ada.get(of(client, "usage"))


@screen("oauth-client-usage")
def usage_none(stage: Stage) -> HttpResponse:
    client, _secret = stage.cast.client(("Supervisor", stage.cast.home))
    return stage.ada.get(of(client, "usage"))


# --- Why?, refusals ------------------------------------------------------------------------------


@screen("oauth-why")
def why_nothing_asked(stage: Stage) -> HttpResponse:
    return stage.ada.get(reverse("oauth-why"))


@screen("oauth-why")
def why_a_client_is_refused(stage: Stage) -> HttpResponse:
    client, _secret = stage.cast.client(("Supervisor", stage.cast.home))
    asked = f"?client={client.client_id}&method=GET&path=/api/v2/oauth/clients"
    return stage.ada.get(reverse("oauth-why") + asked)


@screen("oauth-why")
def why_an_app_may_act_for_somebody(stage: Stage) -> HttpResponse:
    made = app(stage.cast, name=LONG)
    asked = f"?client={made.client_id}&person={stage.cast.eve.id}&permission=directory:user:view"
    return stage.ada.get(reverse("oauth-why") + asked)


@screen("oauth-why")
def why_with_errors(stage: Stage) -> HttpResponse:
    return stage.ada.get(reverse("oauth-why") + "?client=nobody&path=nowhere&division=x")


@screen("oauth-client-refusals")
def refusals_of_a_client(stage: Stage) -> HttpResponse:
    client, secret = stage.cast.client(("Supervisor", stage.cast.home))
    token = stage.cast.token(client, secret)
    stage.browser().get("/api/v2/oauth/clients", headers={"authorization": f"Bearer {token}"})
    refusals.flush()
    return stage.ada.get(of(client, "refusals"))


@screen("oauth-client-refusals")
def refusals_none(stage: Stage) -> HttpResponse:
    client, _secret = stage.cast.client(("Supervisor", stage.cast.home))
    return stage.ada.get(of(client, "refusals"))
