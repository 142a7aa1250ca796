"""What a file makes of what is there: all of it or nothing, once, and the same again when written out."""

from __future__ import annotations

import io
import json
import re
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import Client as Browser
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.actor import system
from accounts.errors import Invalid
from accounts.models import AuditEvent
from oauthclients import grant_types, scopes
from oauthclients.models import AuthorizationState, Client, ClientAuthorization, ClientSecret
from oauthclients.rules.client_spec import ClientSpec
from oauthclients.services import authorizations, clients
from tests.oauthclients.as_code.files import APP, SERVICE, everything, export, file_of, planned, run


def apply(text, folder, **options):
    ran = run("apply", text, folder=folder, yes=True, **options)
    assert ran.code == 0, ran
    return ran.said


def fields(plan: dict, number: int = 0) -> dict:
    return {one["field"]: (one["before"], one["after"]) for one in plan["changes"][number]["fields"]}


def test_a_new_client_and_a_new_app(cast, tmp_path):
    text = file_of(SERVICE, APP + "\nstate: disabled\nauthorization:\n  state: authorized\n  scopes: [users:readonly]\n  roles: [Employee]")  # fmt: skip
    said = run("plan", text, folder=tmp_path)
    assert said.code == 2
    assert said.said == (
        "+ client Billing sync  (line 4)\n"
        "    + name: Billing sync\n"
        "    + grant_type: CLIENT-CREDENTIALS\n"
        "    + state: active\n"
        "    + token_duration: 86400\n"
        "    + roles: Supervisor in Home\n"
        "    + roles: Supervisor in East\n"
        "+ client Web app  (line 11)\n"
        "    + name: Web app\n"
        "    + grant_type: CODE\n"
        "    + state: disabled\n"
        "    + token_duration: 86400\n"
        "    + redirect_uris: https://app.example/callback\n"
        "    + scopes: user-basic-info\n"
        "    + scopes: users\n"
        "    + authorization.state: authorized\n"
        "    + authorization.scopes: users:readonly\n"
        "    + authorization.roles: Employee\n"
        "2 to create, 0 to change, 0 to delete.\n"
    )
    assert not Client.objects.exists()

    assert apply(text, tmp_path, secrets_file=tmp_path / "secrets") == said.said + "Applied.\n"

    service, app = Client.objects.order_by("name")
    assert {str(named) for named in clients.queries.pairs_of(service)} == {
        "Supervisor: Home",
        "Supervisor: East",
    }
    assert (service.created_by_name, service.state, service.version) == ("Ada", "active", 1)
    assert (app.state, app.redirect_uri_list) == ("disabled", ["https://app.example/callback"])
    word = ClientAuthorization.objects.get()
    assert (word.state, word.scope) == (AuthorizationState.AUTHORIZED, ["users:readonly"])
    assert word.roles == [str(cast.role("Employee").id)]
    secrets = json.loads((tmp_path / "secrets").read_text())
    assert cast.token(service, secrets["clients"][0]["client_secret"])


def test_the_trail_says_who_and_how(cast, tmp_path):
    apply(file_of(SERVICE), tmp_path, secrets_file=tmp_path / "secrets")
    (line,) = AuditEvent.objects.filter(entity_type="client")
    assert (line.actor_id, line.user_agent) == (cast.ada.id, "manage.py clients apply")
    assert line.request_id is not None


def test_the_second_time_there_is_nothing_to_do(cast, tmp_path):
    text = file_of(SERVICE, APP)
    apply(text, tmp_path, secrets_file=tmp_path / "secrets")
    before = everything()
    assert apply(text, tmp_path, secrets_file=tmp_path / "secrets") == "No changes.\n"
    assert apply(text, tmp_path, prune=True) == "No changes.\n"
    assert everything() == before


def test_each_field_of_a_client_and_what_is_not_said_stays(cast, tmp_path):
    client, _secret = cast.client(("Supervisor", cast.home), ("SCIM Integration", None), description="old")
    text = file_of(
        "name: Billing Sync\ndescription: new\nstate: inactive\ntoken_duration: 600\nroles:\n"
        "  - role: supervisor\n    divisions: [Home, West]"
    )
    plan = planned(text, tmp_path)
    assert plan["changes"][0]["versions"] == [1, 0]
    assert fields(plan) == {
        "name": ("Billing sync", "Billing Sync"),
        "description": ("old", "new"),
        "state": ("active", "inactive"),
        "token_duration": (86_400, 600),
        "roles": (
            [{"role": "SCIM Integration", "division": None}, {"role": "Supervisor", "division": "Home"}],
            [{"role": "Supervisor", "division": "Home"}, {"role": "Supervisor", "division": "West"}],
        ),
    }
    said = apply(text, tmp_path)
    assert "    - roles: SCIM Integration in all divisions\n    + roles: Supervisor in West\n" in said
    client.refresh_from_db()
    assert (client.version, client.state, client.token_seconds) == (2, "inactive", 600)
    assert apply(file_of("name: Billing sync\ndescription: \"\""), tmp_path).startswith("~ client Billing")  # fmt: skip
    client.refresh_from_db()
    assert (client.name, client.description, client.state) == ("Billing sync", "", "inactive")


def test_renamed_by_id_in_a_chain_and_the_old_name_given_away(cast, tmp_path):
    one, _secret = cast.client(("Supervisor", cast.home), name="One")
    two, _secret = cast.client(("Supervisor", cast.home), name="Two")
    text = file_of(
        f"id: {one.id}\nname: Two", f"id: {two.id}\nname: Three", SERVICE.replace("Billing sync", "One")
    )
    apply(text, tmp_path, secrets_file=tmp_path / "secrets")
    assert list(Client.objects.order_by("created").values_list("name", flat=True)) == [
        "Two",
        "Three",
        "One",
    ]
    assert apply(text, tmp_path) == "No changes.\n"


def test_the_order_of_addresses_is_kept_and_that_of_roles_and_scopes_is_none(cast, tmp_path):
    app = cast.app("users", "groups", redirect_uri="https://one.example/").client
    uris = "redirect_uris:\n  - https://two.example/\n  - https://one.example/"
    apply(file_of(f"name: Web app\n{uris}\nscopes: [users, groups]"), tmp_path)
    app.refresh_from_db()
    assert app.redirect_uri_list == ["https://two.example/", "https://one.example/"]
    uris = "redirect_uris:\n  - https://one.example/\n  - https://two.example/"
    said = run("plan", file_of(f"name: Web app\n{uris}"), folder=tmp_path).said
    assert "    ~ redirect_uris: in another order\n" in said
    assert run("plan", file_of("name: Web app\nscopes: [users, groups, users]"), folder=tmp_path).code == 0


class TestPruning:
    def test_what_the_file_does_not_have_is_left_alone_unless_asked(self, cast, tmp_path):
        cast.client(("Supervisor", cast.home), name="Young")
        old, _secret = cast.client(("Supervisor", cast.home), name="Old")
        Client.objects.filter(id=old.id).update(created=timezone.now() - timedelta(days=31))
        text = file_of(SERVICE)
        assert "1 to create, 0 to change, 0 to delete." in run("plan", text, folder=tmp_path).said

        said = apply(text, tmp_path, prune=True, secrets_file=tmp_path / "secrets")

        assert "- client Young" in said
        assert "Deleted at once and for good: it is not older than 30 days." in said
        assert (
            "Switched off now and removed after 7 days, unless restored: it is older than 30 days." in said
        )
        assert not Client.objects.filter(name="Young").exists()
        old.refresh_from_db()
        assert (old.state, (old.date_to_delete - timezone.now()).days) == ("inactive", 6)
        assert apply(text, tmp_path, prune=True) == "No changes.\n"
        assert "# Pending deletion, so not in it: Old" in export()

    @pytest.mark.parametrize("state", ["active", "disabled"])
    def test_a_client_that_waits_for_its_removal_comes_back(self, state, cast, tmp_path):
        old, _secret = cast.client(("Supervisor", cast.home), name="Old")
        Client.objects.filter(id=old.id).update(created=timezone.now() - timedelta(days=31))
        clients.delete(actor=cast.actor(cast.ada), client_id=old.id)
        text = file_of(f"name: Old\nstate: {state}\ndescription: back")
        plan = planned(text, tmp_path)
        assert fields(plan)["deletion"] == ("scheduled", None)
        apply(text, tmp_path)
        old.refresh_from_db()
        assert (old.state, old.date_to_delete, old.description) == (state, None, "back")
        assert apply(text, tmp_path) == "No changes.\n"


class TestAuthorizations:
    def test_an_own_app_is_refused_and_authorized_again(self, cast, tmp_path):
        app = cast.app("users").client
        eve = cast.acting_for(cast.eve, app, "users")
        no = file_of("name: Web app\nauthorization:\n  state: refused")
        assert fields(planned(no, tmp_path))["authorization.state"] == ("authorized", "refused")
        apply(no, tmp_path)
        assert apply(no, tmp_path) == "No changes.\n"
        assert Browser().get("/api/v2/users/me", headers=eve).status_code == 401
        yes = file_of("name: Web app\nauthorization:\n  state: authorized\n  scopes: [users]")
        apply(yes, tmp_path)
        assert apply(yes, tmp_path) == "No changes.\n"
        assert ClientAuthorization.objects.get().state == AuthorizationState.AUTHORIZED

    def test_a_new_app_that_is_refused_at_once(self, cast, tmp_path):
        text = file_of(APP + "\nauthorization:\n  state: refused")
        apply(text, tmp_path, secrets_file=tmp_path / "secrets")
        assert ClientAuthorization.objects.get().state == AuthorizationState.REVOKED
        assert apply(text, tmp_path) == "No changes.\n"

    def test_new_scopes_are_authorized_no_further_than_the_file_says(self, cast, tmp_path):
        cast.app("users")
        text = file_of("name: Web app\nscopes: [users, groups]\nauthorization:\n  state: authorized\n  scopes: [users]")  # fmt: skip
        assert fields(planned(text, tmp_path)).keys() == {"scopes"}
        apply(text, tmp_path)
        assert ClientAuthorization.objects.get().scope == ["users"]

    def test_new_scopes_of_somebody_who_may_not_authorize_wait(self, cast, tmp_path):
        cast.app("users")
        text = file_of("name: Web app\nscopes: [users, groups]")
        plan = planned(text, tmp_path, by="ben@acme.example")
        assert fields(plan)["authorization.asked for"] == (False, True)

    def test_an_app_of_another_organization(self, cast, tmp_path):
        client, _secret = clients.create(
            actor=system(cast.globex),
            spec=ClientSpec(
                name="Portal # \u00adx",
                grant_type="authorization-code",
                redirect_uris=("https://portal.example/",),
                scope=("users", "groups"),
            ),
        )
        entry = f"version: 1\nauthorizations:\n  - client_id: {client.id}\n    state: "
        yes = entry + "authorized\n    scopes:\n      - users:readonly\n    roles:\n      - Employee\n"
        assert '~ authorization of "Portal # \\xadx"' in apply(yes, tmp_path)
        word = ClientAuthorization.objects.get(organization=cast.acme)
        assert (word.state, word.scope) == (AuthorizationState.AUTHORIZED, ["users:readonly"])
        assert apply(yes, tmp_path) == "No changes.\n"
        written = export()
        assert f"  - client_id: {client.id}  # Portal # \\xadx, of Globex\n" in written
        assert run("plan", written, folder=tmp_path).said == "No changes.\n"
        assert str(client.id) not in export(by="ben@acme.example")

        no = entry + "refused\n"
        apply(no, tmp_path)
        assert apply(no, tmp_path) == "No changes.\n"
        word.refresh_from_db()
        assert word.state == AuthorizationState.REVOKED
        assert ClientAuthorization.objects.exclude(organization=cast.acme).get().scope == [
            "groups",
            "users",
        ]

    def test_a_limit_to_a_role_that_was_deleted_stays_one(self, cast, tmp_path):
        role = cast.custom_role("Short-lived", "directory:user:view")
        app = cast.app("users").client
        ada = cast.actor(cast.ada)
        authorizations.approve(actor=ada, client_id=app.id, scope=["users"], roles=[str(role.id)])
        gone = role.id
        role.delete()
        written = export()
        assert str(gone) in written
        assert run("plan", written, folder=tmp_path).said == "No changes.\n"


class TestBetweenPlanAndApply:
    def test_a_kept_plan_is_done_while_it_is_the_plan(self, cast, tmp_path):
        client, _secret = cast.client(("Supervisor", cast.home))
        text = file_of("name: Billing sync\ndescription: new")
        kept = tmp_path / "plan.json"
        kept.write_text(json.dumps(planned(text, tmp_path)))
        cast.client(("Supervisor", cast.home), name="Of somebody else")
        clients.change(
            actor=cast.actor(cast.ada), client_id=client.id, spec=lambda was: was, state="inactive"
        )

        ran = run("apply", text, folder=tmp_path, yes=True, plan=kept)
        assert "the file or what is there has changed since" in ran.error
        client.refresh_from_db()
        assert client.description == ""

        kept.write_text(json.dumps(planned(text, tmp_path)))
        ran = run("apply", text.replace("new", "other"), folder=tmp_path, yes=True, plan=kept)
        assert "the file or what is there has changed since" in ran.error
        ran = run("apply", text, folder=tmp_path, yes=True, plan=kept, by="ben@acme.example")
        assert "the file or what is there has changed since" in ran.error
        assert run("apply", text, folder=tmp_path, yes=True, plan=kept).code == 0
        ran = run("apply", text, folder=tmp_path, yes=True, plan=kept)
        assert "the file or what is there has changed since" in ran.error

    @pytest.mark.parametrize("content", ["", "[]", "{}", '{"fingerprint": 1}', "[" * 5_000])
    def test_what_is_no_plan(self, content, cast, tmp_path):
        kept = tmp_path / "plan.json"
        kept.write_text(content)
        ran = run("apply", file_of(SERVICE), folder=tmp_path, yes=True, plan=kept)
        assert ran.error == f"{kept} is no output of plan --json."

    def test_somebody_changes_the_client_while_apply_asks(self, cast, tmp_path, monkeypatch):
        client, _secret = cast.client(("Supervisor", cast.home))

        def meanwhile(_question):
            clients.change(
                actor=cast.actor(cast.ada), client_id=client.id, spec=lambda was: was, state="inactive"
            )
            return "yes"

        monkeypatch.setattr("builtins.input", meanwhile)
        monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
        ran = run("apply", file_of("name: Billing sync\ndescription: new"), folder=tmp_path)
        assert (
            ran.error
            == "What is there has changed since the plan was made. Nothing was written; plan again."
        )
        client.refresh_from_db()
        assert (client.description, client.state) == ("", "inactive")

    def test_whoever_does_not_say_yes_has_said_no(self, cast, tmp_path, monkeypatch):
        monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
        for answer in ("", "n", "yes please"):
            monkeypatch.setattr("builtins.input", lambda _question, answer=answer: answer)
            ran = run("apply", file_of(SERVICE), folder=tmp_path, secrets_file=tmp_path / "secrets")
            assert (ran.code, ran.error) == (1, "Not applied. Nothing was changed.")
        assert not Client.objects.exists()
        assert not (tmp_path / "secrets").exists()


def test_all_or_nothing(cast, tmp_path):
    """The last entry is refused: the first ones, good by themselves, are not made either."""
    cast.client(("Supervisor", cast.home), name="There")
    before = everything()
    text = file_of("name: There\ndescription: new", SERVICE, APP.replace("https:", "ftp:"))
    ran = run("apply", text, folder=tmp_path, yes=True, prune=True, secrets_file=tmp_path / "secrets")
    assert ran.refused == ["16:9: Use https."]
    assert everything() == before
    assert not (tmp_path / "secrets").exists()


@pytest.mark.parametrize("file", ["/", "/nowhere/clients.yaml", "/dev/null", "/dev/zero", "a\0b"])
def test_what_is_no_file(file, cast):
    error = io.StringIO()
    with pytest.raises(CommandError, match="Nothing was changed"):
        call_command(
            "clients", "plan", "--as", cast.ada.email, "--organization", "acme", file, stderr=error
        )
    assert error.getvalue().startswith(file.replace("\0", "\\x00") + ":")
    assert error.getvalue().count("\n") == 1


def test_many_clients_are_read_by_few_statements(cast, django_assert_max_num_queries):
    def counted():
        with django_assert_max_num_queries(20) as found:
            export()
        return len(found)

    cast.client(("Supervisor", cast.home), name="First")
    few = counted()
    for number in range(20):
        cast.client(("Supervisor", cast.home), ("Supervisor", cast.east), name=f"Client {number}")
    assert counted() == few


# --- Export, apply, export -----------------------------------------------------------------------

_LETTERS = st.characters(
    blacklist_categories=("Cc", "Cs"),
    blacklist_characters="\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",
)
_ODD = st.sampled_from(
    ["no", "~", "1:30", "- a", "# a", "a: b", "a #b", "'", '"', "\\", "&a", "*a", "!a", "@a", "`", "%", "{", "[", "null",
     "0o17", "=", "<<", "é", "\u2028", "\u00ad", "\U0001f469\u200d\U0001f467", "a:", ":a", "?", "|", ">", "2026-01-01"]
)  # fmt: skip
_NAMES = st.one_of(_ODD, st.text(_LETTERS, min_size=1, max_size=12))
_DESCRIPTIONS = st.one_of(_ODD, st.text(st.one_of(_LETTERS, st.sampled_from("\n\r\t")), max_size=20))


@st.composite
def _specs(draw, roles):
    grant = draw(st.sampled_from(grant_types.GRANT_TYPES))
    return ClientSpec(
        name="x" + draw(_NAMES),
        grant_type=grant.code,
        description=draw(_DESCRIPTIONS),
        role_divisions=tuple(draw(st.lists(st.sampled_from(roles), min_size=1, max_size=5))),
        redirect_uris=tuple(
            f"https://app.example/{path}"
            for path in draw(
                st.lists(st.sampled_from(["", "a?b=c&d", "x:y", "~z", "%20"]), min_size=1, unique=True)
            )
        ),
        scope=tuple(draw(st.lists(st.sampled_from(sorted(scopes.CATALOGUE)), min_size=1, max_size=5))),
        token_seconds=draw(st.integers(300, 172_800)),
    )


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(data=st.data())
def test_export_apply_export_is_the_same_byte_by_byte_and_changes_nothing(cast, data):
    pairs = [
        cast.pair(name, where)
        for name in ("Supervisor", "Admin", "SCIM Integration")
        for where in (cast.home, cast.east, None)
    ]
    with transaction.atomic(), tempfile.TemporaryDirectory() as folder:
        _there(system(cast.acme), data, pairs)
        first = export()
        before = everything()
        assert apply(first, Path(folder), prune=True, settle=True) == "No changes.\n"
        assert everything() == before
        assert export() == first

        # The same clients, made by the file alone, are written as the same.
        for key in list(Client.objects.values_list("id", flat=True)):
            clients.delete(actor=system(cast.acme), client_id=key)
        assert not ClientSecret.objects.exists()
        nameless = re.sub(r"^  - id: .*$", "  -", first, flags=re.MULTILINE)
        apply(nameless, Path(folder), secrets_file=Path(folder) / "secrets")
        written = re.sub(r"^  - id: .*$", "  -", export(), flags=re.MULTILINE)
        assert written == nameless
        transaction.set_rollback(True)


def _there(actor, data, pairs):
    for spec in data.draw(st.lists(_specs(pairs), max_size=5)):
        try:
            with transaction.atomic():
                client, _secret = clients.create(actor=actor, spec=spec)
        except Invalid:
            continue  # a name that is taken, or shows nothing
        if data.draw(st.booleans()):
            clients.set_enabled(actor=actor, client_id=client.id, enabled=False)
        if spec.grant_type != "client-credentials" and data.draw(st.booleans()):
            authorizations.revoke(actor=actor, client_id=client.id)
