"""The one place where clients are made and changed: every rule on every path."""

from __future__ import annotations

import pickle
from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone
from oauth2_provider.models import get_access_token_model

from accounts.actor import system
from accounts.errors import Conflict, DomainError, Invalid, NotAllowed, NotFound
from accounts.models import AuditEvent, RoleGrant
from oauthclients import queries
from oauthclients.models import AuthorizationState, Client, ClientAuthorization, ClientSecret, ClientState
from oauthclients.rules.client_spec import ClientSpec
from oauthclients.services import clients, secrets
from oauthclients.services.secrets import PlainSecret

WEB = ClientSpec(
    name="Web shop",
    grant_type="authorization-code",
    redirect_uris=("https://shop.example/cb",),
    scope=("users", "users:readonly", "user-basic-info"),
)


def codes(refused):
    return {(problem.field, problem.code) for problem in refused.value.problems}


def keep(spec):
    return spec


# --- Making --------------------------------------------------------------------------------------


def test_a_client_is_made_with_its_pairs_its_maker_and_a_line_in_the_audit(cast):
    client, secret = cast.client(("Supervisor", cast.east), ("Supervisor", cast.home), by=cast.ada)

    assert {str(named) for named in queries.pairs_of(client)} == {"Supervisor: East", "Supervisor: Home"}
    assert (client.created_by_name, client.modified_by_name) == ("Ada", "Ada")
    line = AuditEvent.objects.get(entity_id=client.id)
    assert (line.action, line.actor_id, line.after["roleDivisions"]) == (
        "client.created",
        cast.ada.id,
        ["Supervisor: East", "Supervisor: Home"],
    )
    assert line.after["secret"] == f"ends {secret[-4:]}"
    assert secret not in str(line.after)


def test_every_problem_is_told_at_once_with_its_code(cast):
    with pytest.raises(Invalid) as refused:
        clients.create(
            actor=cast.actor(cast.ada),
            spec=ClientSpec(
                " ", "authorization-code", description="d" * 501, scope=("users", "moon"), token_seconds=1
            ),
        )

    assert codes(refused) == {
        ("name", "constraint.validation"),
        ("description", "constraint.validation"),
        ("registeredRedirectUri", "constraint.validation"),
        ("scope", "auth.invalid.scope"),
        ("accessTokenValiditySeconds", "constraint.validation"),
    }
    assert not Client.objects.exists()


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        (ClientSpec("x", ""), "grant.type.required"),
        (ClientSpec("x", "password"), "bad.grant.type"),
        (ClientSpec("x", "client-credentials"), "missing.client.roles"),
        (replace(WEB, scope=()), "missing.client.scope"),
        (replace(WEB, redirect_uris=("http://shop.example/cb",)), "invalid.value"),
    ],
)
def test_the_codes_of_the_wire_contract(cast, spec, code):
    with pytest.raises(Invalid) as refused:
        clients.create(actor=cast.actor(cast.ada), spec=spec)

    assert refused.value.code == code


def test_parts_that_the_grant_type_has_no_use_for_are_dropped(cast):
    client, _ = clients.create(
        actor=cast.actor(cast.ada), spec=replace(WEB, role_divisions=(cast.pair("Admin", None),))
    )

    assert queries.pairs_of(client) == []
    assert client.scope == ["user-basic-info", "users"]


@pytest.mark.parametrize(
    ("role", "where"),
    [("Supervisor", "east"), ("Supervisor", None), ("Admin", "home"), ("Developer", None)],
)
def test_ben_cannot_make_a_client_with_what_he_does_not_hold(cast, role, where):
    division = getattr(cast, where) if where else None

    with pytest.raises(Invalid) as refused:
        cast.client((role, division), by=cast.ben)

    assert refused.value.code == "bad.client.role"
    assert role in refused.value.message
    assert not Client.objects.exists()


def test_whoever_lacks_the_permission_makes_nothing(cast):
    with pytest.raises(NotAllowed) as refused:
        cast.client(("Employee", cast.home), by=cast.eve)

    assert refused.value.missing == ("oauth:client:add",)


def test_a_name_is_taken_once_in_an_organization_whatever_its_case_and_spaces(cast):
    cast.client(("Supervisor", cast.home), by=cast.ada)

    with pytest.raises(Invalid) as refused:
        cast.client(("Supervisor", cast.home), name=" billing   SYNC ", by=cast.ada)

    assert codes(refused) == {("name", "resource.already.exists")}
    clients.create(actor=cast.actor(cast.cleo), spec=replace(WEB, name="Billing sync"))


def test_an_organization_has_at_most_so_many_clients(cast, settings):
    settings.MAX_CLIENTS_PER_ORGANIZATION = 1
    cast.client(("Supervisor", cast.home), by=cast.ada)

    with pytest.raises(DomainError) as refused:
        cast.client(("Supervisor", cast.home), name="Two", by=cast.ada)

    assert refused.value.code == "auth.too.many.clients"


def test_a_role_in_all_divisions_makes_the_same_role_in_one_superfluous(cast):
    client, _ = cast.client(("Supervisor", None), ("Supervisor", cast.east), by=cast.ada)

    assert [str(named) for named in queries.pairs_of(client)] == ["Supervisor: all divisions"]


def test_scopes_are_authorized_at_home_by_whoever_may_and_wait_otherwise(cast):
    by_ada, _ = clients.create(actor=cast.actor(cast.ada), spec=WEB)
    by_ben, _ = clients.create(actor=cast.actor(cast.ben), spec=replace(WEB, name="Ben's"))

    said = {a.client_id: (a.state, a.scope) for a in ClientAuthorization.objects.all()}
    assert said == {
        by_ada.id: (AuthorizationState.AUTHORIZED, ["user-basic-info", "users"]),
        by_ben.id: (AuthorizationState.REQUESTED, []),
    }


# --- Changing ------------------------------------------------------------------------------------


def test_changing_one_field_keeps_the_others(cast):
    client, _ = cast.client(
        ("Supervisor", cast.east), by=cast.ada, description="Nightly", token_seconds=600
    )

    changed = clients.change(
        actor=cast.actor(cast.ada), client_id=client.id, spec=lambda was: replace(was, name="New name")
    ).client

    assert (changed.name, changed.description, changed.token_seconds) == ("New name", "Nightly", 600)
    assert [str(named) for named in queries.pairs_of(changed)] == ["Supervisor: East"]
    line = AuditEvent.objects.get(entity_id=client.id, action="client.edited")
    assert (line.before, line.after) == ({"name": "Billing sync"}, {"name": "New name"})


def test_an_edit_does_not_set_back_when_the_client_was_last_used(cast):
    client, secret = cast.client(("Supervisor", cast.east), by=cast.ada)

    def rename_while_it_is_used(was):
        cast.token(client, secret)
        return replace(was, name="Renamed")

    clients.change(actor=cast.actor(cast.ada), client_id=client.id, spec=rename_while_it_is_used)

    kept = Client.objects.get(id=client.id)
    assert (kept.name, kept.last_used_at is not None) == ("Renamed", True)


def test_a_change_that_changes_nothing_writes_nothing(cast):
    client, _ = cast.client(("Supervisor", cast.east), by=cast.ada)

    clients.change(actor=cast.actor(cast.ada), client_id=client.id, spec=keep)

    assert Client.objects.get(id=client.id).version == 1
    assert not AuditEvent.objects.filter(action="client.edited").exists()


@pytest.mark.parametrize(
    "path",
    [
        lambda actor, id: clients.change(
            actor=actor, client_id=id, spec=lambda was: replace(was, name="B")
        ),
        lambda actor, id: clients.set_enabled(actor=actor, client_id=id, enabled=False),
        lambda actor, id: clients.restore(actor=actor, client_id=id),
        lambda actor, id: secrets.generate(actor=actor, client_id=id),
        lambda actor, id: secrets.end_retiring(actor=actor, client_id=id),
    ],
)
def test_editing_in_any_way_needs_the_roles_of_the_client(cast, path):
    """Ben may edit clients, and holds the Supervisor of Home, but not that of East."""
    client, _ = cast.client(("Supervisor", cast.home), ("Supervisor", cast.east), by=cast.ada)

    with pytest.raises(NotAllowed) as refused:
        path(cast.actor(cast.ben), client.id)

    assert "‘Supervisor’ in East" in refused.value.message
    assert Client.objects.get(id=client.id).version == 1


@pytest.mark.parametrize(
    "path",
    [
        lambda actor, id: clients.change(actor=actor, client_id=id, spec=keep),
        lambda actor, id: clients.set_enabled(actor=actor, client_id=id, enabled=False),
        lambda actor, id: clients.delete(actor=actor, client_id=id),
        lambda actor, id: clients.remove_inactive(actor=actor, client_id=id),
        lambda actor, id: clients.restore(actor=actor, client_id=id),
        lambda actor, id: secrets.generate(actor=actor, client_id=id),
    ],
)
def test_another_organizations_client_is_not_there(cast, path):
    client, _ = cast.client(("Supervisor", cast.home), by=cast.ada)

    for client_id in (client.id, "nothing", "00000000-0000-4000-8000-000000000000"):
        with pytest.raises(NotFound) as refused:
            path(cast.actor(cast.cleo), client_id)
        assert refused.value.code == "client.not.found"


def test_ben_cannot_add_a_pair_by_editing_his_own_client(cast):
    client, _ = cast.client(("Supervisor", cast.home), by=cast.ben)

    for role, where in (("Supervisor", cast.east), ("Supervisor", None), ("Admin", cast.home)):
        with pytest.raises(Invalid):
            clients.change(
                actor=cast.actor(cast.ben),
                client_id=client.id,
                spec=lambda was, new=cast.pair(role, where): replace(
                    was, role_divisions=(*was.role_divisions, new)
                ),
            )
    assert RoleGrant.objects.filter(subject_id=client.id).count() == 1


def test_an_edit_settles_pairs_that_their_giver_no_longer_holds(cast):
    client, _ = cast.client(("Supervisor", cast.home), by=cast.ben)
    cast.give(cast.ben, ("Client Manager", cast.home))

    with pytest.raises(NotAllowed):
        clients.change(
            actor=cast.actor(cast.ben), client_id=client.id, spec=lambda was: replace(was, name="Mine")
        )


def test_the_grant_type_is_fixed(cast):
    client, _ = clients.create(actor=cast.actor(cast.ada), spec=WEB)

    with pytest.raises(Invalid) as refused:
        clients.change(
            actor=cast.actor(cast.ada),
            client_id=client.id,
            spec=lambda was: replace(was, grant_type="implicit"),
        )

    assert refused.value.code == "bad.grant.type"


def test_a_stale_version_changes_nothing(cast):
    client, _ = cast.client(("Supervisor", cast.home), by=cast.ada)
    ada = cast.actor(cast.ada)
    clients.change(actor=ada, client_id=client.id, version=1, spec=lambda was: replace(was, name="First"))

    with pytest.raises(Conflict):
        clients.change(
            actor=ada, client_id=client.id, version=1, spec=lambda was: replace(was, name="Second")
        )

    assert Client.objects.get(id=client.id).name == "First"


def test_450_days_go_back_to_one_when_another_role_is_assigned(cast):
    client, _ = cast.client(("SCIM Integration", None), by=cast.ada, token_seconds=38_880_000)

    changed = clients.change(
        actor=cast.actor(cast.ada),
        client_id=client.id,
        spec=lambda was: replace(
            was, role_divisions=(*was.role_divisions, cast.pair("Supervisor", cast.home))
        ),
    )

    assert changed.client.token_seconds == 86_400
    assert "86,400" in changed.notices[0]
    line = AuditEvent.objects.get(entity_id=client.id, action="client.edited")
    assert line.after["accessTokenValiditySeconds"] == 86_400


def test_a_450_day_token_does_not_outlive_the_rights_it_was_given_for(cast):
    client, secret = cast.client(("SCIM Integration", None), by=cast.ada, token_seconds=38_880_000)
    cast.token(client, secret)

    clients.change(
        actor=cast.actor(cast.ada),
        client_id=client.id,
        spec=lambda was: replace(was, role_divisions=(cast.pair("Admin", None),)),
    )

    left = get_access_token_model().objects.get().expires - timezone.now()
    assert left <= timedelta(seconds=86_400)
    assert AuditEvent.objects.get(action="client.tokensShortened").after["tokens"] == 1


def test_a_shorter_duration_of_ones_own_choice_leaves_tokens_as_they_were_given(cast):
    client, secret = cast.client(("Supervisor", None), by=cast.ada, token_seconds=172_800)
    cast.token(client, secret)

    clients.change(
        actor=cast.actor(cast.ada), client_id=client.id, spec=lambda was: replace(was, token_seconds=300)
    )

    assert get_access_token_model().objects.get().expires - timezone.now() > timedelta(days=1)


def test_450_days_asked_for_together_with_another_role_are_refused(cast):
    with pytest.raises(Invalid) as refused:
        cast.client(("SCIM Integration", None), ("Supervisor", None), by=cast.ada, token_seconds=38_880_000)

    assert codes(refused) == {("accessTokenValiditySeconds", "constraint.validation")}


def test_narrowing_scopes_narrows_the_authorization_and_widening_waits(cast):
    client, _ = clients.create(actor=cast.actor(cast.ada), spec=WEB)
    clients.change(
        actor=cast.actor(cast.ben),
        client_id=client.id,
        spec=lambda was: replace(was, scope=("users:readonly", "user-basic-info", "oauth")),
    )

    authorization = ClientAuthorization.objects.get(client=client)
    assert (authorization.state, authorization.scope) == (
        AuthorizationState.AUTHORIZED,
        ["user-basic-info", "users:readonly"],  # whoever authorized `users` authorized reading
    )


# --- Off, deleted, restored ----------------------------------------------------------------------


def test_a_young_client_is_deleted_at_once_and_for_good(cast):
    client, secret = cast.client(("Supervisor", cast.home), by=cast.ada)
    cast.token(client, secret)

    assert clients.delete(actor=cast.actor(cast.ada), client_id=client.id) is None

    assert not Client.objects.exists()
    assert not ClientSecret.objects.exists()
    assert not get_access_token_model().objects.exists()
    assert AuditEvent.objects.get(action="client.deleted").entity_name == "Billing sync"


@pytest.mark.parametrize(("days", "at_once"), [(29.9, True), (30.1, False)])
def test_the_30_day_rule(cast, days, at_once):
    client, _ = cast.client(("Supervisor", cast.home), by=cast.ada)
    Client.objects.filter(id=client.id).update(created=timezone.now() - timedelta(days=days))

    left = clients.delete(actor=cast.actor(cast.ada), client_id=client.id)

    assert (left is None) is at_once


def test_an_older_client_is_switched_off_for_a_week_and_can_be_restored_as_disabled(cast):
    client, _ = cast.client(("Supervisor", cast.home), by=cast.ada)
    Client.objects.filter(id=client.id).update(created=timezone.now() - timedelta(days=31))
    ada = cast.actor(cast.ada)

    left = clients.delete(actor=ada, client_id=client.id)
    again = clients.delete(actor=ada, client_id=client.id)

    assert left.state == ClientState.INACTIVE
    assert again.date_to_delete == left.date_to_delete
    assert abs(left.date_to_delete - timezone.now() - timedelta(days=7)) < timedelta(minutes=5)
    assert not left.gives_tokens()
    assert not left.accepts_tokens()
    with pytest.raises(Conflict):
        clients.set_enabled(actor=ada, client_id=client.id, enabled=True)
    restored = clients.restore(actor=ada, client_id=client.id)
    assert (restored.state, restored.date_to_delete) == (ClientState.DISABLED, None)


def test_deleting_needs_its_own_permission(cast):
    client, _ = cast.client(("Supervisor", cast.home), by=cast.ada)

    with pytest.raises(NotAllowed) as refused:
        clients.delete(actor=cast.actor(cast.eve), client_id=client.id)

    assert refused.value.missing == ("oauth:client:delete",)


def test_a_program_deletes_only_what_was_made_inactive_first(cast):
    client, _ = cast.client(("Supervisor", cast.home), by=cast.ada)
    ada = cast.actor(cast.ada)

    for state in (ClientState.ACTIVE, ClientState.DISABLED):
        Client.objects.filter(id=client.id).update(state=state)
        with pytest.raises(DomainError) as refused:
            clients.remove_inactive(actor=ada, client_id=client.id)
        assert refused.value.code == "cannot.delete.client"
    clients.change(actor=ada, client_id=client.id, spec=keep, state=ClientState.INACTIVE)
    clients.remove_inactive(actor=ada, client_id=client.id)

    assert not Client.objects.exists()


# --- Secrets -------------------------------------------------------------------------------------


def test_a_repeated_request_for_a_new_secret_changes_nothing(cast):
    client, _ = cast.client(("Supervisor", cast.home), by=cast.ada)
    ada = cast.actor(cast.ada)
    seen = client.secrets.get()
    secrets.generate(actor=ada, client_id=client.id, replacing=seen.id)
    after = client.secrets.get()

    with pytest.raises(Conflict):
        secrets.generate(actor=ada, client_id=client.id, replacing=seen.id)

    assert client.secrets.get() == after


def test_a_client_pending_deletion_gets_no_new_secret_and_no_change(cast):
    client, _ = cast.client(("Supervisor", cast.home), by=cast.ada)
    Client.objects.filter(id=client.id).update(
        state=ClientState.INACTIVE, date_to_delete=timezone.now() + timedelta(days=7)
    )
    ada = cast.actor(cast.ada)

    with pytest.raises(Conflict):
        secrets.generate(actor=ada, client_id=client.id)
    with pytest.raises(Conflict):
        clients.change(actor=ada, client_id=client.id, spec=lambda was: replace(was, name="Other"))
    clients.change(actor=ada, client_id=client.id, spec=keep, state=ClientState.ACTIVE)

    assert Client.objects.get(id=client.id).date_to_delete is None


@pytest.mark.parametrize("name", ["\u200b", "a\x07", "gnilliB\u202e"])
def test_a_name_that_shows_nothing_or_hides_something_is_refused(cast, name):
    with pytest.raises(Invalid) as refused:
        cast.client(("Supervisor", cast.home), name=name, by=cast.ada)

    assert refused.value.problems[0].field == "name"


def test_the_overlap_is_one_of_those_offered(cast):
    client, _ = cast.client(("Supervisor", cast.home), by=cast.ada)

    with pytest.raises(Invalid):
        secrets.generate(actor=cast.actor(cast.ada), client_id=client.id, overlap=timedelta(days=365))


def test_a_new_secret_can_end_the_tokens_as_well(cast):
    client, secret = cast.client(("Supervisor", cast.home), by=cast.ada)
    cast.token(client, secret)

    secrets.generate(actor=cast.actor(cast.ada), client_id=client.id)
    assert get_access_token_model().objects.count() == 1
    secrets.generate(actor=cast.actor(cast.ada), client_id=client.id, revoke_tokens=True)

    assert not get_access_token_model().objects.exists()
    assert AuditEvent.objects.get(action="client.tokensRevoked").after == {"tokens": 1}


def test_a_secret_does_not_show_itself_and_is_never_stored():
    secret = PlainSecret("lks_canary1234")

    assert "canary" not in f"{secret} {secret!r} {[secret]}"
    assert secret.last_four == "1234"
    with pytest.raises(TypeError):
        pickle.dumps(secret)


def test_the_installation_itself_may_do_everything_in_its_organization_only(cast):
    client, _ = cast.client(("Supervisor", cast.home), by=cast.ada)

    with pytest.raises(NotFound):
        clients.delete(actor=system(cast.globex), client_id=client.id)
