"""Integrations > Authorized Applications, and a person's own apps."""

from __future__ import annotations

from django.http import HttpResponse
from django.urls import reverse

from accounts.models import Organization
from oauthclients.models import Consent
from oauthclients.services import authorizations
from tests.oauthclients.services.test_authorizations import app, edit, signed_in
from tests.saml import SamlApp
from tests.screens.catalogue import screen
from tests.screens.scenes.clients import LONG, ONE_WORD
from tests.screens.stage import Stage

LIST = "/admin/integrations/authorized-applications/"


def several(stage: Stage) -> None:
    """Authorized, asking for more, requested, declined, revoked."""
    cast = stage.cast
    ada = cast.actor(cast.ada)
    more = app(cast, name=LONG)
    edit(cast.actor(cast.ben), more, scope=(*more.scope, "oauth"))
    app(cast, cast.ben, name="Requested")
    declined, revoked = app(cast, cast.ben, name="Declined"), app(cast, name=ONE_WORD)
    authorizations.decline(actor=ada, client_id=declined.id)
    authorizations.revoke(actor=ada, client_id=revoked.id)


@screen("authorized-applications")
def authorized_apps_none(stage: Stage) -> HttpResponse:
    return stage.ada.get(LIST)


@screen("authorized-applications")
def authorized_apps_of_every_state(stage: Stage) -> HttpResponse:
    several(stage)
    return stage.ada.get(LIST)


@screen("authorized-applications")
def authorized_apps_not_enforced_and_nothing_matches(stage: Stage) -> HttpResponse:
    Organization.objects.update(enforce_scopes=False)
    several(stage)
    return stage.ada.get(f"{LIST}?q=nothing")


@screen("authorized-application-find")
def app_to_be_found(stage: Stage) -> HttpResponse:
    return stage.ada.get(f"{LIST}authorize/")


@screen("authorized-application-find")
def app_that_nobody_knows(stage: Stage) -> HttpResponse:
    return stage.send(stage.ada, f"{LIST}authorize/", client_id="nobody")


@screen("authorized-application")
def app_requested(stage: Stage) -> HttpResponse:
    return stage.ada.get(f"{LIST}{app(stage.cast, stage.cast.ben, name=LONG).id}/")


@screen("authorized-application")
def app_authorized_for_some_roles(stage: Stage) -> HttpResponse:
    cast = stage.cast
    one = app(cast)
    authorizations.approve(
        actor=cast.actor(cast.ada),
        client_id=one.id,
        scope=["users"],
        roles=[str(cast.role("Supervisor").id)],
        version=1,
    )
    return stage.ada.get(f"{LIST}{one.id}/")


@screen("authorized-application")
def app_approved_with_errors(stage: Stage) -> HttpResponse:
    one = app(stage.cast, stage.cast.ben)
    return stage.ada.post(f"{LIST}{one.id}/", {"version": "1", "audience": "some"})


@screen("authorized-application")
def app_of_assertions_not_enforced(stage: Stage) -> HttpResponse:
    Organization.objects.update(enforce_scopes=False)
    one = SamlApp.at_acme(stage.cast).client
    return stage.ada.get(f"{LIST}{one.id}/")


@screen("authorized-application-decline")
def app_to_be_declined(stage: Stage) -> HttpResponse:
    return stage.ada.get(f"{LIST}{app(stage.cast, stage.cast.ben).id}/decline/")


@screen("authorized-application-revoke")
def app_to_be_revoked(stage: Stage) -> HttpResponse:
    one = app(stage.cast)
    signed_in(stage.cast.eve, one)
    return stage.ada.get(f"{LIST}{one.id}/revoke/")


@screen("your-apps")
def your_apps_none(stage: Stage) -> HttpResponse:
    return stage.eve.get(reverse("your-apps"))


@screen("your-apps")
def your_apps(stage: Stage) -> HttpResponse:
    for name in ("Calendar", LONG, ONE_WORD):
        signed_in(stage.cast.eve, app(stage.cast, name=name), scope=("users:readonly", "user-basic-info"))
    return stage.eve.get(reverse("your-apps"))


@screen("your-app-revoke")
def your_app_to_be_revoked(stage: Stage) -> HttpResponse:
    signed_in(stage.cast.eve, app(stage.cast))
    return stage.eve.get(reverse("your-app-revoke", args=[Consent.objects.get().id]))
