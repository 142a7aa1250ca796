"""Admin home; Account: organization settings and single sign-on."""

from __future__ import annotations

from datetime import timedelta

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone

from accounts.models import IdentityProvider, Organization
from config.regions import Regions
from oauthclients.models import ClientSecret
from tests.oauthclients.services.test_authorizations import app
from tests.saml import IdP, encode, pair
from tests.screens.catalogue import screen
from tests.screens.scenes.clients import several, wizard
from tests.screens.stage import Stage


@screen("admin-home")
def home_with_much_to_do(stage: Stage) -> HttpResponse:
    cast = stage.cast
    several(stage)
    app(cast, cast.ben)
    wizard(stage, name="Half done")
    provider = IdP().provider(cast.acme)
    now = timezone.now()
    provider.certificates = [pair().valid(now - timedelta(days=99), now + timedelta(days=9)).certificate]
    provider.save()
    ClientSecret.objects.filter(client__name="Billing sync").update(ends_at=now + timedelta(hours=9))
    return stage.ada.get("/admin/")


@screen("admin-home")
def home_with_nothing_to_do(stage: Stage) -> HttpResponse:
    return stage.ben.get("/admin/")


@screen("admin-home")
def home_of_somebody_without_rights(stage: Stage) -> HttpResponse:
    return stage.eve.get("/admin/")


# --- Organization settings -----------------------------------------------------------------------


def setting(stage: Stage, name: str = "settings") -> str:
    return reverse(f"organization-{name}")


def set_to(**values: object) -> None:
    Organization.objects.filter(short_name="acme").update(**values)


@screen("organization-settings")
def organization(stage: Stage) -> HttpResponse:
    stage.settings.REGIONS = Regions(
        ["eu=eu.example.com", "us=us.example.com"], base_url="https://login.eu.example.com"
    )
    return stage.ada.get(setting(stage))


@screen("organization-settings")
def organization_with_hipaa(stage: Stage) -> HttpResponse:
    set_to(hipaa=True, idle_timeout_enabled=True, idle_timeout_seconds=900, enforce_scopes=False)
    return stage.ada.get(setting(stage))


@screen("organization-name")
def organization_without_a_name(stage: Stage) -> HttpResponse:
    return stage.ada.post(setting(stage, "name"), {"version": "1", "name": ""})


@screen("organization-idle-timeout")
def timeout_asked_about(stage: Stage) -> HttpResponse:
    return stage.ada.post(
        setting(stage, "idle-timeout"), {"version": "1", "enabled": "on", "minutes": "30"}
    )


@screen("organization-idle-exclusions")
def exclusions_with_errors(stage: Stage) -> HttpResponse:
    return stage.ada.post(setting(stage, "idle-exclusions"), {"version": "1", "paths": "nonsense\r\nmore"})


@screen("organization-token-duration")
def default_duration_with_errors(stage: Stage) -> HttpResponse:
    return stage.ada.post(setting(stage, "token-duration"), {"version": "1", "seconds": "1"})


@screen("organization-hipaa")
def hipaa_to_be_turned_on(stage: Stage) -> HttpResponse:
    return stage.ada.get(setting(stage, "hipaa"))


@screen("organization-hipaa")
def hipaa_to_be_turned_off_with_errors(stage: Stage) -> HttpResponse:
    set_to(hipaa=True, idle_timeout_enabled=True, idle_timeout_seconds=900)
    return stage.send(stage.ada, setting(stage, "hipaa"))


@screen("organization-enforce-scopes")
def scopes_to_be_left_free(stage: Stage) -> HttpResponse:
    app(stage.cast)
    return stage.ada.get(setting(stage, "enforce-scopes"))


@screen("organization-implicit-grant")
def implicit_grant_to_be_switched_off(stage: Stage) -> HttpResponse:
    stage.cast.app("users", grant_type="implicit")
    return stage.ada.get(setting(stage, "implicit-grant"))


@screen("organization-home-region")
def region_to_be_changed(stage: Stage) -> HttpResponse:
    stage.settings.REGIONS = Regions(
        ["eu=eu.example.com", "us=us.example.com"], base_url="https://login.eu.example.com"
    )
    version = Organization.objects.get(short_name="acme").version
    return stage.ada.post(setting(stage, "home-region"), {"version": version, "region": "us"})


@screen("organization-language")
def organization_in_a_language_that_is_not_there(stage: Stage) -> HttpResponse:
    return stage.ada.post(setting(stage, "language"), {"version": "1", "language": "xx"})


@screen("organization-time-zone")
def organization_in_a_time_zone_that_is_not_there(stage: Stage) -> HttpResponse:
    return stage.ada.post(setting(stage, "time-zone"), {"version": "1", "time_zone": "Nowhere/Land"})


@screen("preferences")
def preferences(stage: Stage) -> HttpResponse:
    return stage.eve.get(reverse("preferences"))


@screen("preferences")
def preferences_with_errors(stage: Stage) -> HttpResponse:
    return stage.eve.post(reverse("preferences"), {"language": "xx", "time_zone": "Nowhere/Land"})


# --- Single sign-on ------------------------------------------------------------------------------


def provider(one: IdentityProvider, action: str = "provider") -> str:
    return reverse(f"single-sign-on-{action}", args=[one.id])


@screen("single-sign-on")
def sso_none(stage: Stage) -> HttpResponse:
    return stage.ada.get(reverse("single-sign-on"))


@screen("single-sign-on")
def sso_several_and_only(stage: Stage) -> HttpResponse:
    one = IdP().provider(stage.cast.acme)
    now = timezone.now()
    one.certificates = [pair().valid(now - timedelta(days=99), now - timedelta(days=9)).certificate]
    one.save()
    IdP(name="W" * 60, issuer="https://" + "w" * 90 + ".example").provider(stage.cast.acme, enabled=False)
    set_to(only_sso=True, password_keeper=stage.cast.ada)
    return stage.ada.get(reverse("single-sign-on"))


@screen("single-sign-on")
def sso_for_somebody_who_may_only_look(stage: Stage) -> HttpResponse:
    stage.cast.custom_role("Looks", "sso:provider:view")
    stage.cast.give(stage.cast.eve, ("Looks", None))
    return stage.eve.get(reverse("single-sign-on"))


@screen("single-sign-on-new")
def sso_new(stage: Stage) -> HttpResponse:
    return stage.ada.get(reverse("single-sign-on-new"))


@screen("single-sign-on-new")
def sso_new_with_errors(stage: Stage) -> HttpResponse:
    return stage.send(
        stage.ada,
        reverse("single-sign-on-new"),
        form="provider",
        name="",
        issuer="x",
        target_url="http://x",
        certificates="nonsense",
    )


@screen("single-sign-on-provider")
def sso_edited(stage: Stage) -> HttpResponse:
    return stage.ada.get(provider(IdP().provider(stage.cast.acme)))


@screen("single-sign-on-provider")
def sso_that_may_be_viewed_only(stage: Stage) -> HttpResponse:
    one = IdP().provider(stage.cast.acme)
    stage.cast.custom_role("Looks", "sso:provider:view")
    stage.cast.give(stage.cast.eve, ("Looks", None))
    return stage.eve.get(provider(one))


@screen("single-sign-on-delete")
def sso_to_be_deleted(stage: Stage) -> HttpResponse:
    return stage.ada.get(provider(IdP().provider(stage.cast.acme), "delete"))


@screen("single-sign-on-only")
def only_sso_to_be_turned_on(stage: Stage) -> HttpResponse:
    IdP().provider(stage.cast.acme)
    return stage.ada.get(reverse("single-sign-on-only"))


@screen("single-sign-on-only")
def only_sso_without_a_provider(stage: Stage) -> HttpResponse:
    return stage.ada.get(reverse("single-sign-on-only"))


@screen("single-sign-on-keeper")
def password_to_be_kept_by_another(stage: Stage) -> HttpResponse:
    IdP().provider(stage.cast.acme)
    set_to(only_sso=True, password_keeper=stage.cast.ada)
    return stage.ada.get(reverse("single-sign-on-keeper"))


@screen("check-assertion")
def assertion_to_be_checked(stage: Stage) -> HttpResponse:
    IdP().provider(stage.cast.acme)
    return stage.ada.get(reverse("check-assertion"))


@screen("check-assertion")
def assertion_checked(stage: Stage) -> HttpResponse:
    idp = IdP(recipient="https://somebody.example")
    idp.provider(stage.cast.acme)
    return stage.send(
        stage.ada,
        reverse("check-assertion"),
        secret_assertion=encode(idp.assertion(email="nobody@acme.example")),
        use="bearer",
    )
