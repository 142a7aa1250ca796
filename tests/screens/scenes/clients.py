"""Integrations > OAuth."""

from __future__ import annotations

from datetime import timedelta

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone

from oauthclients.models import Client
from tests.oauthclients.console.wizard import LIST, Wizard, roles, start
from tests.saml import IdP
from tests.screens.catalogue import screen
from tests.screens.stage import Stage

LONG = "Quarterly reconciliation of invoices between the billing system and the ledger (staging, Europe)"
ONE_WORD = "W" * 110
SCOPES = ("users", "user-basic-info", "oauth:readonly", "routing", "analytics:readonly")
MANY_URIS = "\r\n".join(f"https://app{number}.example.com/cb" for number in range(124))


def of(client: Client, action: str = "") -> str:
    return reverse(f"oauth-client{action and '-'}{action}", args=[client.id])


def several(stage: Stage) -> None:
    """One client in each state and of each grant, with names as people give them."""
    cast = stage.cast
    cast.client(("Supervisor", cast.home), ("Admin", cast.east), name="Billing sync", by=cast.ada)
    app = cast.app(*SCOPES, name=LONG, description="Shows who is working, and plans who will. " * 3)
    cast.client(("Supervisor", cast.west), name=ONE_WORD, by=cast.ada)
    waiting, _secret = cast.client(("Employee", None), name="Old reports")
    Client.objects.filter(id=waiting.id).update(
        state="disabled", date_to_delete=timezone.now() + timedelta(days=3)
    )
    off, _secret = cast.client(("Supervisor", cast.home), name="Switched off")
    Client.objects.filter(id=off.id).update(
        state="disabled", last_used_at=timezone.now() - timedelta(days=99)
    )
    Client.objects.filter(id=app.client.id).update(last_used_at=timezone.now() - timedelta(minutes=3))


def wizard(stage: Stage, grant: str = "client-credentials", name: str = "Billing sync") -> Wizard:
    at = start(stage.ada)
    assert at.details(name=name, grant=grant, description="Nightly invoices").status_code == 302
    return at


def wizard_at_the_end(stage: Stage, grant: str) -> Wizard:
    at = wizard(stage, grant)
    access = (
        roles((stage.cast.role("Supervisor"), [stage.cast.home, stage.cast.east]))
        if grant == "client-credentials"
        else {"redirect_uris": "https://app.example.com/cb", "scope": list(SCOPES)}
    )
    assert at.post("access", access).status_code == 302
    return at


# --- The list ------------------------------------------------------------------------------------


@screen("oauth-clients")
def clients_none(stage: Stage) -> HttpResponse:
    return stage.ada.get(LIST)


@screen("oauth-clients")
def clients_of_every_state_and_a_draft(stage: Stage) -> HttpResponse:
    several(stage)
    wizard(stage, name="Half done")
    return stage.ada.get(LIST)


@screen("oauth-clients")
def clients_that_nothing_matches(stage: Stage) -> HttpResponse:
    several(stage)
    return stage.ada.get(f"{LIST}?q=nothing+is+called+so&state=active")


@screen("oauth-clients")
def clients_on_the_second_page(stage: Stage) -> HttpResponse:
    for number in range(28):
        stage.cast.client(("Supervisor", stage.cast.home), name=f"Client {number:02}")
    return stage.ada.get(f"{LIST}?page=2&sort=-name")


@screen("oauth-clients")
def clients_for_somebody_who_may_only_look(stage: Stage) -> HttpResponse:
    cast = stage.cast
    several(stage)
    cast.custom_role("Looks", "oauth:client:view")
    cast.give(cast.eve, ("Looks", None))
    return stage.eve.get(LIST)


# --- Add client ----------------------------------------------------------------------------------


@screen("oauth-client-add-step")
def wizard_1_empty(stage: Stage) -> HttpResponse:
    return start(stage.ada).get("details")


@screen("oauth-client-add-step")
def wizard_1_with_errors(stage: Stage) -> HttpResponse:
    return start(stage.ada).post("details", {"name": ""})


@screen("oauth-client-add-step")
def wizard_1_from_a_template(stage: Stage) -> HttpResponse:
    address = stage.ada.get(f"{reverse('oauth-client-add')}?from=salesforce")["Location"]
    return stage.ada.get(address, follow=True)


@screen("oauth-client-add-step")
def wizard_1_changed_in_another_tab(stage: Stage) -> HttpResponse:
    at = wizard(stage)
    return at.post("details", {"name": "Typed here", "grant_type": "client-credentials"}, version=0)


@screen("oauth-client-add-step")
def wizard_1_asks_before_it_drops_roles(stage: Stage) -> HttpResponse:
    at = wizard_at_the_end(stage, "client-credentials")
    return at.details(grant="implicit")


@screen("oauth-client-add-step")
def wizard_2_roles(stage: Stage) -> HttpResponse:
    return wizard(stage).get("access")


@screen("oauth-client-add-step")
def wizard_2_roles_chosen(stage: Stage) -> HttpResponse:
    cast = stage.cast
    at = wizard(stage)
    at.post("access", roles((cast.role("Supervisor"), [cast.home, cast.east]), (cast.role("Admin"), ["*"])))
    return at.get("access")


@screen("oauth-client-add-step")
def wizard_2_roles_with_errors(stage: Stage) -> HttpResponse:
    at = wizard(stage, name=ONE_WORD)
    return at.post("access", roles((stage.cast.role("Supervisor"), [])))


@screen("oauth-client-add-step")
def wizard_2_for_somebody_with_few_roles(stage: Stage) -> HttpResponse:
    at = start(stage.ben)
    at.details()
    return at.get("access")


@screen("oauth-client-add-step")
def wizard_2_redirects_and_scope(stage: Stage) -> HttpResponse:
    return wizard(stage, "authorization-code").get("access")


@screen("oauth-client-add-step")
def wizard_2_redirects_and_scope_with_errors(stage: Stage) -> HttpResponse:
    at = wizard(stage, "implicit")
    lines = f"http://app.example.com/cb\r\nhttps://a.example/x#y\r\n{MANY_URIS}"
    return at.post("access", {"redirect_uris": lines, "scope": []})


@screen("oauth-client-add-step")
def wizard_2_scope_for_assertions(stage: Stage) -> HttpResponse:
    IdP().provider(stage.cast.acme)
    at = wizard(stage, "saml2-bearer")
    at.post("access", {"scope": ["users", "users:readonly", "gdpr"], "go": "back"})
    return at.get("access")


@screen("oauth-client-add-step")
def wizard_2_scope_for_assertions_of_nobody(stage: Stage) -> HttpResponse:
    return wizard(stage, "saml2-bearer").get("access")


@screen("oauth-client-add-step")
def wizard_3(stage: Stage) -> HttpResponse:
    return wizard_at_the_end(stage, "client-credentials").get("duration")


@screen("oauth-client-add-step")
def wizard_3_for_an_app_with_errors(stage: Stage) -> HttpResponse:
    stage.cast.acme.idle_timeout_enabled = stage.cast.acme.hipaa = True
    stage.cast.acme.save()
    return wizard_at_the_end(stage, "authorization-code").save("12")


@screen("oauth-client-add-step")
def wizard_3_for_scim(stage: Stage) -> HttpResponse:
    at = wizard(stage)
    at.post("access", roles((stage.cast.role("SCIM Integration"), ["*"])))
    return at.get("duration")


@screen("oauth-client-add-leave")
def wizard_left_unfinished(stage: Stage) -> HttpResponse:
    return stage.ada.get(reverse("oauth-client-add-leave", args=[wizard(stage).draft_id]))


@screen("oauth-client-add-discard")
def draft_thrown_away(stage: Stage) -> HttpResponse:
    return stage.ada.get(reverse("oauth-client-add-discard", args=[wizard(stage).draft_id]))


# --- The secret ----------------------------------------------------------------------------------


@screen("oauth-client-add-step")
def secret_of_a_new_client(stage: Stage) -> HttpResponse:
    return wizard_at_the_end(stage, "client-credentials").save()


@screen("oauth-client-add-step")
def secret_of_a_new_app(stage: Stage) -> HttpResponse:
    return wizard_at_the_end(stage, "authorization-code").save()


@screen("oauth-client-add-step")
def secret_of_a_new_browser_app(stage: Stage) -> HttpResponse:
    return wizard_at_the_end(stage, "implicit").save()


@screen("oauth-client-add-step")
def secret_of_a_new_saml_app(stage: Stage) -> HttpResponse:
    return wizard_at_the_end(stage, "saml2-bearer").save()


@screen("oauth-client-finish")
def secret_to_be_stored(stage: Stage) -> HttpResponse:
    wizard_at_the_end(stage, "client-credentials").save()
    return stage.ada.post(of(Client.objects.get(), "finish"))


@screen("oauth-client-secret")
def secret_question(stage: Stage) -> HttpResponse:
    client, secret = stage.cast.client(("Supervisor", stage.cast.home))
    stage.cast.token(client, secret)
    return stage.ada.get(of(client, "secret"))


@screen("oauth-client-secret")
def secret_anew(stage: Stage) -> HttpResponse:
    client, _secret = stage.cast.client(("Supervisor", stage.cast.home))
    return stage.send(stage.ada, of(client, "secret"), overlap="86400")


@screen("oauth-client-secret-end")
def secret_to_be_ended(stage: Stage) -> HttpResponse:
    client, _secret = stage.cast.client(("Supervisor", stage.cast.home))
    stage.send(stage.ada, of(client, "secret"), overlap="86400")
    return stage.ada.get(of(client, "secret-end"))


@screen("oauth-client-token")
def token_to_be_pasted(stage: Stage) -> HttpResponse:
    client, _secret = stage.cast.client(("SCIM Integration", None), name="Okta", token_seconds=38_880_000)
    return stage.ada.get(of(client, "token"))


@screen("oauth-client-token")
def token_shown_once(stage: Stage) -> HttpResponse:
    client, _secret = stage.cast.client(("SCIM Integration", None), name="Okta", token_seconds=38_880_000)
    return stage.send(stage.ada, of(client, "token"))


# --- A client ------------------------------------------------------------------------------------


@screen("oauth-client")
def client_with_two_secrets(stage: Stage) -> HttpResponse:
    cast = stage.cast
    client, secret = cast.client(
        ("Supervisor", cast.home),
        ("Supervisor", cast.east),
        ("Admin", None),
        name="Billing sync",
        by=cast.ada,
    )
    cast.token(client, secret)
    stage.send(stage.ada, of(client, "secret"), overlap="86400")
    return stage.ada.get(of(client))


@screen("oauth-client")
def client_that_acts_for_people(stage: Stage) -> HttpResponse:
    app = stage.cast.app(*SCOPES, name=LONG, description=LONG)
    return stage.ada.get(of(app.client))


@screen("oauth-client")
def client_of_assertions(stage: Stage) -> HttpResponse:
    IdP().provider(stage.cast.acme)
    client, _secret = stage.cast.client(name="Payroll", grant_type="saml2-bearer", scope=SCOPES)
    return stage.ada.get(of(client))


@screen("oauth-client")
def client_with_a_name_of_one_word(stage: Stage) -> HttpResponse:
    client, _secret = stage.cast.client(("Supervisor", None), name=ONE_WORD, description=ONE_WORD)
    return stage.ada.get(of(client))


@screen("oauth-client")
def client_pending_deletion(stage: Stage) -> HttpResponse:
    client, _secret = stage.cast.client(("Supervisor", stage.cast.home))
    Client.objects.update(state="disabled", date_to_delete=timezone.now() + timedelta(days=5))
    return stage.ada.get(of(client))


@screen("oauth-client")
def client_disabled(stage: Stage) -> HttpResponse:
    client, _secret = stage.cast.client(("Supervisor", stage.cast.home))
    Client.objects.update(state="disabled")
    return stage.ada.get(of(client))


@screen("oauth-client")
def client_inactive(stage: Stage) -> HttpResponse:
    client, _secret = stage.cast.client(("Supervisor", stage.cast.home))
    Client.objects.update(state="inactive")
    return stage.ada.get(of(client))


@screen("oauth-client")
def client_that_may_be_viewed_only(stage: Stage) -> HttpResponse:
    client, _secret = stage.cast.client(("Supervisor", stage.cast.east), ("Admin", None))
    return stage.ben.get(of(client))


@screen("oauth-client")
def client_for_whose_roles_nobody_answers(stage: Stage) -> HttpResponse:
    cast = stage.cast
    client, _secret = cast.client(("Supervisor", cast.home), by=cast.ben)
    cast.give(cast.ben, ("Client Manager", cast.home))
    return stage.ada.get(of(client))


@screen("oauth-client-edit")
def client_edited(stage: Stage) -> HttpResponse:
    client, _secret = stage.cast.client(("Supervisor", stage.cast.home))
    return stage.ada.get(of(client, "edit"))


@screen("oauth-client-edit")
def client_edited_by_two(stage: Stage) -> HttpResponse:
    cast = stage.cast
    client, _secret = cast.client(("Supervisor", cast.home))
    opened = stage.ada.get(of(client, "edit"))
    stage.send(stage.ben, of(client, "edit"), form="edit", name="Ben was here", description="His words")
    return stage.send(stage.ada, opened, form="edit", name="Ada was here")


@screen("oauth-client-edit")
def client_edited_with_errors(stage: Stage) -> HttpResponse:
    app = stage.cast.app(*SCOPES)
    return stage.send(
        stage.ada,
        of(app.client, "edit"),
        form="edit",
        name="",
        redirect_uris="app.example",
        scope=[],
        seconds="x",
    )


@screen("oauth-client-edit")
def client_about_to_lose_a_role(stage: Stage) -> HttpResponse:
    cast = stage.cast
    client, secret = cast.client(("Supervisor", cast.home), ("Admin", None))
    cast.token(client, secret)
    admin = cast.role("Admin").id
    return stage.send(
        stage.ada,
        of(client, "edit"),
        form="edit",
        role=[str(cast.role("Supervisor").id)],
        **{f"divisions-{admin}": None},
    )


@screen("oauth-client-delete")
def client_deleted_for_good(stage: Stage) -> HttpResponse:
    client, secret = stage.cast.client(("Supervisor", stage.cast.home))
    stage.cast.token(client, secret)
    return stage.send(stage.ada, of(client, "delete"))


@screen("oauth-client-delete")
def client_deleted_in_a_week(stage: Stage) -> HttpResponse:
    app = stage.cast.app(*SCOPES)
    Client.objects.update(created=timezone.now() - timedelta(days=99))
    return stage.ada.get(of(app.client, "delete"))


@screen("oauth-client-disable")
def client_to_be_disabled(stage: Stage) -> HttpResponse:
    client, secret = stage.cast.client(("Supervisor", stage.cast.home), name=ONE_WORD)
    stage.cast.token(client, secret)
    return stage.ada.get(of(client, "disable"))


@screen("oauth-client-enable")
def client_to_be_enabled(stage: Stage) -> HttpResponse:
    client, _secret = stage.cast.client(("Supervisor", stage.cast.home))
    Client.objects.update(state="disabled")
    return stage.ada.get(of(client, "enable"))


@screen("oauth-client-restore")
def client_to_be_restored(stage: Stage) -> HttpResponse:
    client, _secret = stage.cast.client(("Supervisor", stage.cast.home))
    Client.objects.update(state="disabled", date_to_delete=timezone.now() + timedelta(days=5))
    return stage.ada.get(of(client, "restore"))


@screen("oauth-client-check-assertion")
def assertion_checked_for_a_client(stage: Stage) -> HttpResponse:
    IdP().provider(stage.cast.acme)
    client, _secret = stage.cast.client(name="Payroll", grant_type="saml2-bearer", scope=SCOPES)
    return stage.ada.get(of(client, "check-assertion"))


@screen("confirm-password")
def password_asked_for_again(stage: Stage) -> HttpResponse:
    client, _secret = stage.cast.client(("Supervisor", stage.cast.home))
    stage.settings.RECENT_SIGN_IN_SECONDS = -1
    return stage.ada.get(of(client, "secret"), follow=True)


@screen("confirm-password")
def password_wrong_when_asked_again(stage: Stage) -> HttpResponse:
    return stage.ada.post(reverse("confirm-password"), {"password": "wrong", "next": "/admin/"})


# --- Test token, API Explorer --------------------------------------------------------------------


@screen("oauth-client-test")
def token_to_be_tested(stage: Stage) -> HttpResponse:
    client, _secret = stage.cast.client(("Supervisor", stage.cast.home))
    return stage.ada.get(of(client, "test"))


@screen("oauth-client-test")
def token_of_an_app_to_be_tested(stage: Stage) -> HttpResponse:
    return stage.ada.get(of(stage.cast.app(*SCOPES).client, "test"))


@screen("oauth-client-test")
def token_tested(stage: Stage) -> HttpResponse:
    client, secret = stage.cast.client(("Supervisor", stage.cast.home))
    return stage.ada.post(of(client, "test"), {"secret": secret})


@screen("oauth-client-test")
def token_tested_and_refused(stage: Stage) -> HttpResponse:
    client, _secret = stage.cast.client(("Supervisor", stage.cast.home))
    return stage.ada.post(of(client, "test"), {"secret": "wrong"})


@screen("oauth-test-landing")
def token_test_that_did_not_begin_here(stage: Stage) -> HttpResponse:
    return stage.ada.get(reverse("oauth-test-landing") + "?code=x&state=y")


@screen("api-explorer")
def explorer_not_set_up(stage: Stage) -> HttpResponse:
    return stage.ada.get(reverse("api-explorer"), headers={"host": "localhost:8000"})
