"""`manage.py demo`, `bootstrap` and `purge`."""

from __future__ import annotations

import io
import json
from datetime import timedelta

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command
from django.test import Client as Browser
from django.test import RequestFactory
from django.utils import timezone
from oauth2_provider.models import get_access_token_model, get_grant_model, get_refresh_token_model

from accounts import batches, queries
from accounts.models import (
    AuditEvent,
    Organization,
    ProviderSession,
    ProviderSignIn,
    Role,
    RoleGrant,
    UsedAssertion,
    User,
)
from oauthclients.models import Client, ClientDraft, ClientSecret, Consent, FamilyToken, TokenFamily
from oauthclients.services import clients
from tests.cast import token_request
from tests.saml import IdP, Pair, bearer


def demo(**options):
    out = io.StringIO()
    call_command("demo", json=True, stdout=out, **options)
    text = out.getvalue()
    assert text.count("\n") == 1, "exactly one JSON object"
    return json.loads(text)


def signs_in(person) -> bool:
    request = RequestFactory().post("/sign-in/")
    return authenticate(request, username=person["email"], password=person["password"]) is not None


def test_the_demo_prints_the_agreed_object(db):
    made = demo()

    assert made.keys() == {"base_url", "organization", "people", "clients", "identity_provider"}
    assert made["base_url"] == "http://localhost:8000"
    assert made["organization"].keys() == {"id", "name", "short_name", "home_division_id", "divisions"}
    assert made["organization"]["divisions"].keys() == {"Home", "East", "West"}
    assert made["people"].keys() == {"ada", "ben", "eve", "cleo"}
    assert made["clients"].keys() == {
        "client_credentials",
        "limited",
        "code",
        "implicit",
        "saml2_bearer",
        "scim",
    }
    assert {key for key, client in made["clients"].items() if "redirect_uri" in client} == {
        "code",
        "implicit",
    }


def test_everybody_can_sign_in_and_the_clients_get_tokens(db):
    made = demo()

    assert all(signs_in(person) for person in made["people"].values())
    for key in ("client_credentials", "limited", "scim"):
        client = made["clients"][key]
        response = token_request(Browser(), client["client_id"], client["client_secret"])
        assert response.status_code == 200
        assert response.json()["expires_in"] == (38_880_000 if key == "scim" else 86_400)


def test_anyone_can_sign_an_assertion_with_the_demo_provider_and_try(db):
    made = demo()
    said = made["identity_provider"]
    client = Client.objects.get(client_id=made["clients"]["saml2_bearer"]["client_id"])
    provider = IdP(
        issuer=said["issuer"],
        pair=Pair.of_pem(said["private_key_pem"], said["certificate_pem"]),
        audience=said["audience"],
        recipient=said["recipient"],
    )

    response = bearer(
        client,
        made["clients"]["saml2_bearer"]["client_secret"],
        provider.assertion(email=said["email"]),
        org=made["organization"]["short_name"],
    )

    assert response.status_code == 200, response.content
    me = Browser().get(
        "/api/v2/users/me", headers={"Authorization": f"Bearer {response.json()['access_token']}"}
    )
    assert me.json()["email"] == said["email"]
    again = demo()["identity_provider"]
    assert again["certificate_pem"] != said["certificate_pem"]
    stale = bearer(
        client,
        made["clients"]["saml2_bearer"]["client_secret"],
        provider.assertion(email=said["email"]),
        org=made["organization"]["short_name"],
    )
    assert stale.status_code in (400, 401)


def test_the_demo_people_and_clients_hold_what_was_promised(db):
    made = demo()
    acme = Organization.objects.get(id=made["organization"]["id"])

    def held(subject):
        return {
            (grant.role.name, grant.division.name if grant.division else "*")
            for grant in queries.grants_of(acme, subject)
        }

    ada = held(made["people"]["ada"]["id"])
    roles = ("Admin", "Supervisor", "SCIM Integration", "Token Introspection")
    client = held(made["clients"]["client_credentials"]["client_id"])
    assert client == {(role, "*") for role in roles}
    assert ada == {*client, ("PureCloud for Salesforce", "*")}
    assert ("Supervisor", "Home") in held(made["people"]["ben"]["id"])
    assert held(made["people"]["eve"]["id"]) == {("Employee", "Home")}
    access = queries.access_of(acme.id, made["clients"]["limited"]["client_id"])
    assert access.by_permission.keys() == {"directory:user:view"}
    assert (
        str(*access.divisions_for("directory:user:view").ids) == made["organization"]["divisions"]["East"]
    )
    assert {user.division.name for user in queries.people(acme)} == {"Home", "East", "West"}
    assert queries.people(acme).count() >= 24


def test_a_second_run_makes_nothing_new_and_gives_fresh_credentials(db):
    first = demo()
    counts = [
        model.objects.count() for model in (Organization, User, Role, RoleGrant, Client, ClientSecret)
    ]
    Client.objects.filter(client_id=first["clients"]["code"]["client_id"]).update(
        state="disabled", description="edited"
    )

    second = demo()

    assert counts == [
        model.objects.count() for model in (Organization, User, Role, RoleGrant, Client, ClientSecret)
    ]
    assert {k: c["client_id"] for k, c in first["clients"].items()} == {
        k: c["client_id"] for k, c in second["clients"].items()
    }
    assert not any(signs_in(person) for person in first["people"].values())
    assert all(signs_in(person) for person in second["people"].values())
    code = Client.objects.get(client_id=second["clients"]["code"]["client_id"])
    assert (code.state, code.description) == ("active", "")


def test_the_demo_leaves_other_peoples_organizations_alone(cast):
    before = User.objects.count()

    with pytest.raises(CommandError, match="other organizations"):
        demo()

    assert User.objects.count() == before


def test_the_demo_insists_when_told_to(db):
    call_command_bootstrap("Real")

    assert demo(anyway=True)["organization"]["name"] == "Acme"


def call_command_bootstrap(
    name, email="root@real.example", password="a long enough password", monkeypatch=None
):
    stdin = io.StringIO(password + "\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", stdin)
        call_command("bootstrap", organization=name, email=email, stdout=io.StringIO())


def test_bootstrap_makes_an_administrator_who_can_give_every_shipped_role(db):
    call_command_bootstrap("Real Company")

    company = Organization.objects.get(short_name="real-company")
    person = User.objects.get(email="root@real.example")
    access = queries.access_of(company.id, person.id)
    assert all(access.holds(role.id, None) for role in queries.roles(company))
    assert signs_in({"email": "ROOT@real.example", "password": "a long enough password"})


@pytest.mark.parametrize(
    ("organization", "email", "password", "says"),
    [
        ("Other", "nobody", "a long enough password", "email"),
        ("Other", "a@b.example", "short", "short"),
        ("Real", "a@b.example", "a long enough password", "short name"),
        (" ", "a@b.example", "a long enough password", "name"),
        ("\u200b", "a@b.example", "a long enough password", "name"),
        ("n" * 201, "a@b.example", "a long enough password", "200"),
        ("株式会社", "a@b.example", "a long enough password", "short name"),
    ],
)
def test_bootstrap_refuses_bad_input_and_leaves_nothing_behind(db, organization, email, password, says):
    call_command_bootstrap("Real")

    with pytest.raises(CommandError, match=says):
        call_command_bootstrap(organization, email, password)

    assert Organization.objects.count() == User.objects.count() == 1


def test_a_long_name_gets_a_short_name_that_fits(db):
    call_command_bootstrap("A rather long name of a company " * 5)

    assert len(Organization.objects.get().short_name) <= 60


def test_a_short_name_is_what_apps_can_send(db, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("a long enough password\n"))

    with pytest.raises(CommandError, match="hyphens"):
        call_command("bootstrap", organization="X", short_name="Bad Name!", email="a@b.example")


def test_the_demo_beside_a_real_acme_says_so_in_one_sentence(db):
    call_command_bootstrap("Acme")

    with pytest.raises(CommandError, match="short name"):
        demo(anyway=True)


def test_purge_forgets_failed_sign_ins_when_they_no_longer_count(cast, time_machine):
    from axes.models import AccessAttempt

    Browser().post("/sign-in/", {"email": "ada@acme.example", "password": "wrong wrong wrong"})
    kept = str(AccessAttempt.objects.values().get())
    assert "wrong wrong" not in kept
    call_command("purge", stdout=io.StringIO())
    assert AccessAttempt.objects.exists()

    time_machine.move_to(timezone.now() + timedelta(minutes=6))
    call_command("purge", stdout=io.StringIO())

    assert not AccessAttempt.objects.exists()


def test_purge_removes_what_has_ended_and_keeps_what_has_not(cast):
    client, secret = cast.client(("Supervisor", cast.home), by=cast.ada)
    doomed, _ = cast.client(("Supervisor", cast.home), name="Doomed", by=cast.ada)
    later, _ = cast.client(("Supervisor", cast.home), name="Later", by=cast.ada)
    now = timezone.now()
    Client.objects.filter(id=doomed.id).update(date_to_delete=now - timedelta(seconds=1))
    Client.objects.filter(id=later.id).update(date_to_delete=now + timedelta(days=1))
    cast.token(client, secret)
    cast.token(client, secret)
    token = get_access_token_model().objects.first()
    get_access_token_model().objects.filter(pk=token.pk).update(expires=now - timedelta(seconds=1))
    ClientDraft.objects.create(user=cast.ada)
    ClientDraft.objects.update(saved_at=now - timedelta(days=15))
    ClientDraft.objects.create(user=cast.ben)
    out = io.StringIO()

    call_command("purge", stdout=out)

    assert get_access_token_model().objects.count() == 1
    assert {c.name for c in Client.objects.all()} == {"Billing sync", "Later"}
    assert not RoleGrant.objects.filter(subject_id=doomed.id).exists()
    assert [draft.user for draft in ClientDraft.objects.all()] == [cast.ben]
    assert AuditEvent.objects.filter(entity_id=doomed.id, action="client.deleted").exists()
    assert "clients: 1 removed" in out.getvalue()


def test_purge_keeps_what_an_app_can_still_refresh_or_must_not_use_again(cast, browser_of, time_machine):
    app, eve = cast.app(token_seconds=300), browser_of(cast.eve)
    spent = app.allowed(eve)["code"]
    token = app.exchange(spent).json()
    app.allowed(eve)  # a code that nobody exchanges
    time_machine.move_to(timezone.now() + timedelta(minutes=10))
    call_command("purge", stdout=io.StringIO())

    assert not get_grant_model().objects.exists()
    token = app.refresh(token["refresh_token"]).json()
    assert app.exchange(spent).status_code == 400  # known as used: the family ends
    assert app.refresh(token["refresh_token"]).status_code == 400

    time_machine.move_to(timezone.now() + timedelta(days=31))
    call_command("purge", stdout=io.StringIO())
    for model in (TokenFamily, FamilyToken, get_refresh_token_model(), get_access_token_model()):
        assert not model.objects.exists()
    assert Consent.objects.exists()  # what the person allowed stays until they take it back


def test_purge_works_through_more_than_one_batch(cast, monkeypatch):
    for name, size in (("FIRST", 2), ("FEWEST", 1), ("MOST", 2)):
        monkeypatch.setattr(batches, name, size)
    for user in (cast.ada, cast.ben, cast.eve):
        ClientDraft.objects.create(user=user)
    ClientDraft.objects.update(saved_at=timezone.now() - timedelta(days=15))

    call_command("purge", stdout=io.StringIO())

    assert not ClientDraft.objects.exists()


def test_a_client_deleted_for_good_leaves_no_grant_behind(cast):
    client, _ = cast.client(("Supervisor", cast.home), by=cast.ada)

    clients.delete(actor=cast.actor(cast.ada), client_id=client.id)

    assert not RoleGrant.objects.filter(subject_id=client.id).exists()


def test_purge_forgets_assertions_when_they_could_not_be_used_again(cast, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    idp = IdP()
    provider = idp.provider(cast.acme)
    client, secret = cast.client(name="Desk", grant_type="saml2-bearer", scope=("users",), by=cast.ada)
    assertion = idp.assertion()
    assert bearer(client, secret, assertion).status_code == 200
    ProviderSignIn.objects.create(
        id="_old", provider=provider, browser="x", started_at=timezone.now() - timedelta(days=2)
    )
    ProviderSession.objects.create(key="gone", provider=provider, person=cast.eve, subject="x")

    call_command("purge", stdout=io.StringIO())

    assert UsedAssertion.objects.count() == 1
    assert not ProviderSignIn.objects.exists()
    assert not ProviderSession.objects.exists()
    time_machine.shift(timedelta(minutes=5, seconds=8))  # within the skew
    call_command("purge", stdout=io.StringIO())
    assert bearer(client, secret, assertion).json()["error_description"] == (
        "The assertion has been used already."
    )
    time_machine.shift(timedelta(seconds=10))
    call_command("purge", stdout=io.StringIO())
    assert not UsedAssertion.objects.exists()
    assert bearer(client, secret, assertion).status_code == 400
