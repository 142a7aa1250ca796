"""The page of a client, and what can be done from it: switching off and on, deleting, restoring."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client as Browser
from django.utils import timezone

from accounts.models import AuditEvent, RoleGrant
from oauthclients.models import AuthorizationState, Client, ClientAuthorization
from oauthclients.rules.client_spec import ClientSpec
from oauthclients.services import clients, secrets
from tests.cast import token_request
from tests.oauthclients.console import wizard

LIST = "/admin/integrations/oauth/"
ACTIONS = ("disable", "enable", "delete", "restore", "secret", "secret/end")


def at(client, action: str = "") -> str:
    return f"{LIST}{client.id}/{action + '/' if action else ''}"


def page(browser, address: str) -> str:
    response = browser.get(address)
    assert response.status_code == 200, response.content
    return response.content.decode().replace("\xa0", " ")


def after(response) -> str:
    """The page to which a form has led."""
    assert response.status_code == 302, response.content
    return page(response.client, response["Location"])


def grow_old(client, days: int = 31) -> None:
    Client.objects.filter(id=client.id).update(created=timezone.now() - timedelta(days=days))


@pytest.fixture
def billing(cast):
    """Ada's client with Supervisor in Home, and its secret."""
    return cast.client(("Supervisor", cast.home), name="Billing sync", by=cast.ada)


@pytest.fixture
def eastern(cast):
    """One that Ben may not edit: he does not hold Supervisor in East."""
    client, _secret = cast.client(
        ("Supervisor", cast.home), ("Supervisor", cast.east), name="Eastern", by=cast.ada
    )
    return client


# --- Gates ---------------------------------------------------------------------------------------


def test_every_page_leads_to_the_sign_in_first(cast, billing):
    for action in ("", *ACTIONS):
        for method in ("get", "post"):
            if (action, method) != ("", "post"):
                response = getattr(Browser(), method)(at(billing[0], action))
                assert response["Location"].startswith("/sign-in/")


def test_somebody_without_rights_is_told_which_permission_is_missing(cast, billing, browser_of):
    browser = browser_of(cast.eve)
    for action, permission in (
        ("", "View"),
        ("disable", "Edit"),
        ("enable", "Edit"),
        ("delete", "Delete"),
        ("restore", "Edit"),
        ("secret", "Edit"),
        ("secret/end", "Edit"),
    ):
        for method in ("get", "post"):
            if (action, method) == ("", "post"):
                continue
            response = getattr(browser, method)(at(billing[0], action))
            assert response.status_code == 403
            assert f"OAuth &gt; Client &gt; {permission}" in response.content.decode()
    assert Client.objects.get(id=billing[0].id).state == "active"


def test_another_organizations_client_does_not_exist(cast, billing, browser_of):
    browser = browser_of(cast.cleo)
    before = AuditEvent.objects.filter(entity_id=billing[0].id).count()
    for action in ("", *ACTIONS):
        assert browser.get(at(billing[0], action)).status_code == 404
        if action:
            form = {"name": "Billing sync", "overlap": "0"}
            assert browser.post(at(billing[0], action), form).status_code == 404
    assert Client.objects.get(id=billing[0].id).state == "active"
    assert AuditEvent.objects.filter(entity_id=billing[0].id).count() == before


def test_changing_needs_the_clients_roles_too(cast, eastern, browser_of):
    browser = browser_of(cast.ben)
    secret = eastern.secrets.get()
    for action in ("disable", "enable", "secret"):
        for response in (
            browser.get(at(eastern, action)),
            browser.post(at(eastern, action), {"overlap": "0", "replacing": str(secret.id)}),
        ):
            assert response.status_code == 403
            assert "You do not hold ‘Supervisor’ in East." in response.content.decode()
    eastern.refresh_from_db()
    assert eastern.state == "active"
    assert eastern.secrets.get() == secret


def test_a_refusal_names_everything_that_is_lacked(cast, browser_of):
    client, _secret = cast.client(
        ("Supervisor", cast.east), ("Supervisor", cast.home), ("Admin", None), name="Eastern", by=cast.ada
    )
    browser = browser_of(cast.ben)
    for action in ("edit", "disable", "secret"):
        shown = wizard.text(browser.get(at(client, action)))
        assert "You do not hold ‘Admin’ in all divisions." in shown
        assert "You do not hold ‘Supervisor’ in East." in shown
        assert "in Home." not in shown


def test_restoring_needs_the_clients_roles_too(cast, eastern, browser_of):
    grow_old(eastern)
    clients.delete(actor=cast.actor(cast.ada), client_id=eastern.id)
    assert browser_of(cast.ben).post(at(eastern, "restore")).status_code == 403


def test_rights_are_read_live(cast, billing, browser_of):
    browser = browser_of(cast.ben)
    assert browser.get(at(billing[0], "disable")).status_code == 200
    RoleGrant.objects.filter(subject_id=cast.ben.id, role__name="Supervisor").delete()
    assert browser.post(at(billing[0], "disable")).status_code == 403


# --- The page ------------------------------------------------------------------------------------


def test_it_shows_credentials_without_the_secret(cast, billing, browser_of):
    client, secret = billing
    html = page(browser_of(cast.ada), at(client))
    assert client.client_id in html
    assert f"•••• {secret[-4:]}" in html
    assert secret not in html
    assert "by <bdi>Ada</bdi>" in html
    assert "1 day" in html
    assert "86,400 seconds" in html
    assert "Created By" in html
    assert "Modified By" in html


def test_its_headers_keep_it_out_of_every_cache(cast, billing, browser_of):
    response = browser_of(cast.ada).get(at(billing[0]))
    assert "no-store" in response["Cache-Control"]
    assert "default-src 'none'" in response["Content-Security-Policy"]
    assert " style=" not in response.content.decode()


def test_it_shows_what_the_client_may_do_in_each_division(cast, browser_of):
    client, _secret = cast.client(("Supervisor", cast.home), ("SCIM Integration", None), by=cast.ada)
    response = browser_of(cast.ada).get(at(client))
    html = response.content.decode()
    assert "12 permissions" in html
    assert "All divisions" in html
    by_place = {part.where: part.labels for part in response.context["access"]["permissions"]}
    assert "Directory > User > Set Password" in by_place["In every division"]
    # Of Supervisor, what is about divisions holds in Home, and what is not holds anywhere.
    assert "Directory > User > View" in by_place["Home"]
    assert "Directory > User Profile > View" in by_place["In every division"]
    assert "Directory > User > Set Password" not in by_place["Home"]


@pytest.mark.parametrize(
    ("grant_type", "says"),
    [
        (
            "authorization-code",
            ["https://app.example.com/a?b=1&amp;c=2", "See and change people", "sensitive"],
        ),
        ("implicit", ["https://app.example.com/a?b=1&amp;c=2", "Not used by this grant"]),
        ("saml2-bearer", ["See and change people", "Sent together with each assertion."]),
    ],
)
def test_apps_for_people_show_addresses_and_scopes(cast, browser_of, grant_type, says):
    client, secret = clients.create(
        actor=cast.actor(cast.ada),
        spec=ClientSpec(
            name="Desk",
            grant_type=grant_type,
            redirect_uris=("https://app.example.com/a?b=1&c=2",),
            scope=("users", "routing:readonly"),
        ),
    )
    html = page(browser_of(cast.ada), at(client))
    for text in says:
        assert text in html
    assert "What can it do?" not in html
    assert secret.reveal() not in html


def test_quick_start_has_real_addresses_and_no_secret(cast, billing, browser_of):
    client, secret = billing
    html = page(browser_of(cast.ada), at(client))
    assert "http://localhost:8000/oauth/token" in html
    assert f"{client.client_id}:$CLIENT_SECRET" in html
    assert "get_client_credentials_token" in html
    assert "loginClientCredentialsGrant" in html
    assert secret not in html


def test_the_use_of_a_secret_and_that_of_the_client_are_told_apart(cast, billing, browser_of):
    client, secret = billing
    token = cast.token(client, secret)
    Client.objects.filter(id=client.id).update(last_used_at=None)
    Browser().get("/api/v2/users", headers={"Authorization": f"Bearer {token}"})
    client.secrets.update(last_used_at=timezone.now() - timedelta(days=3))
    shown = wizard.text(browser_of(cast.ada).get(at(client)))
    assert "Last token request with it: 3 days ago" in shown.replace("\xa0", " ")
    assert "Client last used just now (token requests and API calls)" in shown


def test_recent_changes_are_sentences(cast, billing, browser_of):
    client, _secret = billing
    ada = cast.actor(cast.ada)
    for number in range(5):
        clients.set_enabled(actor=ada, client_id=client.id, enabled=bool(number % 2))
    response = browser_of(cast.ada).get(at(client))
    changes = response.context["changes"]
    assert len(changes) == 5
    assert (changes[0]["who"], changes[0]["did"]) == ("Ada", "disabled the client")


def test_a_client_was_created_before_anything_else_happened_to_it(cast, browser_of):
    for by, then in (
        (cast.ada, "authorized the app for this organization"),
        (cast.ben, "asked for the app to be authorized"),
    ):
        one = cast.app("users", name=f"App of {by}", by=by).client
        changes = browser_of(cast.ada).get(at(one)).context["changes"]
        assert [change["did"] for change in changes] == [then, "created the client"]


def test_an_edit_says_what_was_changed(cast, billing, browser_of):
    clients.change(
        actor=cast.actor(cast.ada),
        client_id=billing[0].id,
        spec=lambda was: ClientSpec(**{**was.__dict__, "description": "New words", "token_seconds": 600}),
    )
    assert "edited the client: description, token duration" in page(browser_of(cast.ada), at(billing[0]))


def test_buttons_are_there_for_those_who_may_use_them(cast, eastern, browser_of):
    buttons = ("Edit Client", "Generate new secret", ">Disable<")
    html = page(browser_of(cast.ada), at(eastern))
    for text in (*buttons, "Delete Client"):
        assert text in html
    assert "You can view but not edit" not in html
    html = page(browser_of(cast.ben), at(eastern))
    for text in buttons:
        assert text not in html
    assert "Delete Client" in html
    assert "You can view but not edit" in html
    assert "You do not hold ‘Supervisor’ in East." in html
    assert "in Home." not in html  # which he holds
    cast.custom_role("Onlooker", "oauth:client:view")
    cast.give(cast.eve, ("Onlooker", cast.home))
    html = page(browser_of(cast.eve), at(eastern))
    for text in (*buttons, "Delete Client"):
        assert text not in html
    assert "You need the permission OAuth &gt; Client &gt; Edit." in html


def test_names_are_text_wherever_they_appear(cast, browser_of):
    client, _secret = cast.client(
        ("Supervisor", cast.home), name="<script>x</script>", by=cast.ada, description="<img src=x>"
    )
    browser = browser_of(cast.ada)
    for action in ("", "disable", "delete", "secret"):
        html = page(browser, at(client, action))
        assert "<script>x" not in html
        assert "<img src=x" not in html
    html = after(browser.post(at(client, "disable")))
    assert "<script>x" not in html
    assert "‘&lt;script&gt;x&lt;/script&gt;’ is disabled" in html


# --- Off and on ----------------------------------------------------------------------------------


def test_a_disabled_client_gets_no_tokens_and_its_tokens_are_refused(cast, billing, browser_of):
    client, secret = billing
    token = cast.token(client, secret)
    browser = browser_of(cast.ada)
    ask = page(browser, at(client, "disable"))
    assert "Disable ‘Billing sync’?" in ask
    assert "data-dialog-content" in ask
    facts = browser.get(at(client, "disable")).context["dialog_facts"]
    assert facts[0] == {"label": "Tokens in use", "value": "1"}
    assert "It gets no new tokens, and 1 token stops working." in ask
    html = after(browser.post(at(client, "disable")))
    assert "is disabled" in html
    assert "No tokens are given; existing tokens are refused." in html
    assert token_request(Browser(), client.client_id, secret).status_code == 400
    call = Browser().get("/api/v2/users", headers={"Authorization": f"Bearer {token}"})
    assert call.status_code == 401

    html = after(browser.post(at(client, "enable")))
    assert "is enabled" in html
    assert token_request(Browser(), client.client_id, secret).status_code == 200


def test_disabling_a_client_without_tokens_says_nothing_about_tokens(cast, billing, browser_of):
    ask = page(browser_of(cast.ada), at(billing[0], "disable"))
    assert "It gets no new tokens.</p>" in ask


def test_asking_changes_nothing(cast, billing, browser_of):
    client, _secret = billing
    browser = browser_of(cast.ada)
    for action in ("disable", "enable", "delete", "secret"):
        assert browser.get(at(client, action)).status_code == 200
        assert browser.head(at(client, action)).status_code == 200
        assert browser.put(at(client, action)).status_code == 405
    client.refresh_from_db()
    assert (client.state, client.version) == ("active", 1)


def test_disabling_twice_is_one_change(cast, billing, browser_of):
    browser = browser_of(cast.ada)
    for _ in range(2):
        assert browser.post(at(billing[0], "disable")).status_code == 302
    assert AuditEvent.objects.filter(action="client.disabled").count() == 1


# --- Deleting ------------------------------------------------------------------------------------


def test_a_young_client_goes_at_once_after_its_name_was_typed(cast, billing, browser_of):
    client, secret = billing
    browser = browser_of(cast.ada)
    ask = page(browser, at(client, "delete"))
    assert "Removed at once and for good." in ask
    assert "Type the app name ‘Billing sync’ to confirm" in ask
    for wrong in ({}, {"name": ""}, {"name": "billing sync"}, {"name": "Billing"}):
        response = browser.post(at(client, "delete"), wrong)
        assert response.status_code == 200
        assert "There is a problem" in response.content.decode()
        assert "<title>Error – " in response.content.decode()
    assert Client.objects.filter(id=client.id).exists()
    response = browser.post(at(client, "delete"), {"name": "Billing sync"})
    assert response["Location"] == LIST
    html = after(response)
    assert "Client ‘Billing sync’ was deleted." in html
    assert "Restore" not in html
    assert not Client.objects.filter(id=client.id).exists()
    assert not RoleGrant.objects.filter(subject_id=client.id).exists()
    assert browser.get(at(client)).status_code == 404
    assert token_request(Browser(), client.client_id, secret).status_code == 401


def test_deleting_an_app_for_people_says_how_many_organizations_authorized_it(cast, billing, browser_of):
    client, _secret = cast.client(name="Desk", grant_type="saml2-bearer", scope=("users",), by=cast.ada)
    ClientAuthorization.objects.create(
        organization=cast.globex, client=client, scope=["users"], state=AuthorizationState.REVOKED
    )
    browser = browser_of(cast.ada)

    def authorized(which):
        facts = browser.get(at(which, "delete")).context["dialog_facts"]
        return [fact["value"] for fact in facts if fact["label"] == "Organizations that authorized it"]

    assert authorized(client) == ["1"]
    ClientAuthorization.objects.filter(client=client).update(state=AuthorizationState.AUTHORIZED)
    assert authorized(client) == ["2"]
    assert authorized(billing[0]) == []  # works by roles in its own organization


def test_a_client_of_thirty_days_is_young_and_a_day_later_it_is_not(cast, billing, browser_of):
    client, _secret = billing
    browser = browser_of(cast.ada)
    Client.objects.filter(id=client.id).update(created=timezone.now() - timedelta(days=29, hours=23))
    assert "Removed at once" in page(browser, at(client, "delete"))
    grow_old(client)
    assert "Removed at once" not in page(browser, at(client, "delete"))


def test_an_older_client_is_switched_off_and_can_be_restored(cast, billing, browser_of):
    client, secret = billing
    token = cast.token(client, secret)
    grow_old(client)
    browser = browser_of(cast.ada)
    ask = page(browser, at(client, "delete"))
    assert "you can restore it until then" in ask
    assert "to confirm" not in ask
    html = after(browser.post(at(client, "delete")))
    assert "is switched off and will be removed on" in html
    assert f'<a href="{at(client, "restore")}">Restore</a>' in html
    client.refresh_from_db()
    left = client.date_to_delete - timezone.now()
    assert timedelta(days=6, hours=23) < left <= timedelta(days=7)
    assert token_request(Browser(), client.client_id, secret).status_code == 400
    assert Browser().get("/api/v2/users", headers={"Authorization": f"Bearer {token}"}).status_code == 401

    html = page(browser, at(client))
    assert "Pending deletion" in html
    for text in ("Edit Client", "Delete Client", "Generate new secret"):
        assert text not in html
    html = after(browser.post(at(client, "restore")))
    assert "is restored. It is disabled." in html
    assert f'<a href="{at(client, "enable")}">Enable</a>' in html
    client.refresh_from_db()
    assert (client.state, client.date_to_delete) == ("disabled", None)
    after(browser.post(at(client, "enable")))
    assert token_request(Browser(), client.client_id, secret).status_code == 200


def test_what_no_longer_applies_leads_back_to_the_client(cast, billing, browser_of):
    client, _secret = billing
    browser = browser_of(cast.ada)
    assert "This client is not pending deletion." in after(browser.post(at(client, "restore")))
    grow_old(client)
    browser.post(at(client, "delete"))
    for action in ("delete", "disable", "enable", "secret"):
        for method in (browser.get, browser.post):
            assert "This client is " in after(method(at(client, action)))
    client.refresh_from_db()
    assert client.date_to_delete is not None


def test_a_client_whose_week_is_over_is_gone(cast, billing, browser_of):
    client, _secret = billing
    grow_old(client)
    clients.delete(actor=cast.actor(cast.ada), client_id=client.id)
    Client.objects.filter(id=client.id).update(date_to_delete=timezone.now() - timedelta(seconds=1))
    browser = browser_of(cast.ada)
    for action in ("", *ACTIONS):
        assert browser.get(at(client, action)).status_code == 404


def test_the_page_of_a_client_costs_the_same_whatever_it_holds(
    cast, browser_of, django_assert_max_num_queries
):
    client, _secret = cast.client(
        ("Supervisor", cast.home), ("Supervisor", cast.east), ("Admin", None), by=cast.ada
    )
    secrets.generate(actor=cast.actor(cast.ada), client_id=client.id, overlap=timedelta(hours=1))
    browser = browser_of(cast.ada)
    with django_assert_max_num_queries(17):
        browser.get(at(client))


def test_a_client_for_people_says_where_it_is_authorized(cast, browser_of):
    app = cast.app("users", "oauth", by=cast.ben).client
    for organization, state in ((cast.globex, "Authorized"), (cast.acme, "Requested")):
        ClientAuthorization.objects.update_or_create(
            organization=organization, client=app, defaults={"state": state, "scope": ["users"]}
        )
    page = browser_of(cast.ada).get(f"/admin/integrations/oauth/{app.id}/")
    rows = page.context["authorized_in"]
    assert [(row["organization"], row["own"], row["waits"], bool(row["url"])) for row in rows] == [
        ("Acme", True, True, True),
        ("Globex", False, False, False),
    ]
    # What another organization has not agreed to is its own business.
    ClientAuthorization.objects.filter(organization=cast.globex).update(state="Requested")
    page = browser_of(cast.ben).get(f"/admin/integrations/oauth/{app.id}/")
    assert [(row["organization"], row["url"]) for row in page.context["authorized_in"]] == [("Acme", "")]


def test_an_implicit_client_that_gets_no_tokens_says_so(cast, browser_of):
    app = cast.app("users", grant_type="implicit").client
    browser = browser_of(cast.ada)
    text = "switched the implicit grant off"
    assert text not in browser.get(f"/admin/integrations/oauth/{app.id}/").content.decode()
    cast.acme.implicit_allowed = False
    cast.acme.save()
    assert text in browser.get(f"/admin/integrations/oauth/{app.id}/").content.decode()
