"""The organization's word on apps: who may say it, what an edit of a client does to it, and what never
widens it."""

from __future__ import annotations

import threading
import uuid
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from oauth2_provider.models import get_access_token_model

from accounts.errors import Conflict, DomainError, Invalid, NotAllowed, NotFound
from accounts.models import AuditEvent
from oauthclients.api import shapes
from oauthclients.models import AuthorizationState, Client, ClientAuthorization, Consent, TokenFamily
from oauthclients.rules.client_spec import ClientSpec
from oauthclients.services import authorizations, clients, families, tokens
from tests import cast as standing_cast

AUTHORIZED, REQUESTED = AuthorizationState.AUTHORIZED, AuthorizationState.REQUESTED
DECLINED, REVOKED = AuthorizationState.UNAUTHORIZED, AuthorizationState.REVOKED
ASKED = ("routing", "user-basic-info", "users")


def app(cast, by=None, name: str = "Web app", scope=ASKED) -> Client:
    client, _secret = clients.create(
        actor=cast.actor(by or cast.ada),
        spec=ClientSpec(
            name=name,
            grant_type="authorization-code",
            redirect_uris=("https://app.example.com/callback",),
            scope=scope,
        ),
    )
    return client


def edit(actor, client, **changes) -> None:
    clients.change(actor=actor, client_id=client.id, spec=lambda was: replace(was, **changes))


def row(client, organization=None) -> ClientAuthorization:
    return ClientAuthorization.objects.get(client=client, organization=organization or client.organization)


def said(client, organization=None) -> tuple[str, list[str], bool]:
    """State, scope, and whether an answer is waited for."""
    found = row(client, organization)
    return found.state, found.scope, found.requested_at is not None


def via(actor):
    """The same person, for whom an app acts."""
    return replace(actor, via_id=uuid.uuid4(), via_name="Some app")


def signed_in(user, client, scope=("users",)) -> str:
    """A person uses the app: a consent, a family and a living token."""
    value = uuid.uuid4().hex
    consent = Consent.objects.create(user=user, client=client, scope=list(scope))
    family = families.start(consent=consent, scope=scope, now=timezone.now())
    tokens.issue(client=client, user=user, value=value, seconds=600, scope=scope, family=family)
    return value


def living(client) -> int:
    return get_access_token_model().objects.filter(application=client).count()


def lines(action: str) -> int:
    return AuditEvent.objects.filter(action=action).count()


# --- An edit of the client at home ---------------------------------------------------------------


def test_whoever_may_authorize_authorizes_a_client_by_making_it(cast):
    client = app(cast)
    assert said(client) == (AUTHORIZED, sorted(ASKED), False)
    line = AuditEvent.objects.get(action="app.approved")
    assert (line.entity_id, line.actor_name, line.after["scope"]) == (client.id, "Ada", sorted(ASKED))


def test_the_client_of_anybody_else_waits_for_an_answer(cast):
    client = app(cast, cast.ben)
    assert said(client) == (REQUESTED, [], True)
    assert row(client).requested_by_name == "Ben"
    assert lines("app.asked") == 1


def test_an_app_that_acts_for_an_administrator_authorizes_nothing_by_itself(cast):
    ada = cast.actor(cast.ada)
    mine = app(cast)
    edit(via(ada), mine, scope=(*ASKED, "oauth"))
    assert said(mine) == (AUTHORIZED, sorted(ASKED), True)
    made, _secret = clients.create(
        actor=via(ada),
        spec=ClientSpec(
            name="Made by an app",
            grant_type="authorization-code",
            redirect_uris=("https://app.example.com/x",),
            scope=("users",),
        ),
    )
    assert said(made) == (REQUESTED, [], True)


def test_new_scopes_of_somebody_who_may_not_authorize_wait_and_the_rest_goes_on(cast):
    client = app(cast)
    edit(cast.actor(cast.ben), client, scope=(*ASKED, "oauth"))
    assert said(client) == (AUTHORIZED, sorted(ASKED), True)
    assert row(client).requested_by_name == "Ben"
    edit(cast.actor(cast.ben), client, scope=ASKED)  # not wanted any more
    assert said(client) == (AUTHORIZED, sorted(ASKED), False)


def test_the_wider_form_of_a_scope_is_a_new_scope(cast):
    client = app(cast, scope=("users:readonly",))
    edit(cast.actor(cast.ben), client, scope=("users",))
    assert said(client) == (AUTHORIZED, ["users:readonly"], True)


def test_a_scope_that_is_narrowed_to_reading_stays_authorized_for_reading(cast):
    client = app(cast, scope=("users",))
    edit(cast.actor(cast.ben), client, scope=("users:readonly",))
    assert said(client) == (AUTHORIZED, ["users:readonly"], False)
    edit(cast.actor(cast.ben), client, scope=("users",))
    assert said(client) == (AUTHORIZED, ["users:readonly"], True)


def test_an_edit_adds_its_own_new_scopes_and_keeps_what_was_narrowed_on_purpose(cast):
    ada, client = cast.actor(cast.ada), app(cast)
    authorizations.approve(actor=ada, client_id=client.id, scope=["users:readonly"])
    edit(ada, client, description="Other words")
    assert said(client) == (AUTHORIZED, ["users:readonly"], False)
    edit(ada, client, scope=(*ASKED, "presence"))
    assert said(client) == (AUTHORIZED, ["presence", "users:readonly"], False)


def test_an_edit_that_has_nothing_to_do_with_the_scope_says_nothing_about_the_authorization(cast):
    client = app(cast)
    version, before = row(client).version, AuditEvent.objects.filter(action__startswith="app.").count()
    edit(cast.actor(cast.ada), client, description="Other words")
    edit(cast.actor(cast.ben), client, name="Other name")
    assert row(client).version == version
    assert AuditEvent.objects.filter(action__startswith="app.").count() == before


@pytest.mark.parametrize("editor", ["ada", "ben"])
@pytest.mark.parametrize("no", ["decline", "revoke"])
def test_no_edit_lifts_a_no(cast, editor, no):
    ada = cast.actor(cast.ada)
    client = app(cast, cast.ben if no == "decline" else cast.ada)
    getattr(authorizations, no)(actor=ada, client_id=client.id)
    state = DECLINED if no == "decline" else REVOKED
    assert said(client) == (state, [], False)
    edit(cast.actor(getattr(cast, editor)), client, description="Other words")
    assert said(client) == (state, [], False)
    edit(cast.actor(getattr(cast, editor)), client, scope=(*ASKED, "oauth"))
    assert said(client) == (state, [], editor == "ben")


def test_an_administrators_new_scope_does_not_answer_what_somebody_else_asked_for(cast):
    client = app(cast, cast.ben)
    edit(cast.actor(cast.ada), client, scope=(*ASKED, "presence"))
    assert said(client) == (AUTHORIZED, ["presence"], True)
    assert row(client).requested_by_name == "Ben"


# --- Asking --------------------------------------------------------------------------------------


def test_anybody_may_ask_for_an_app_and_asking_twice_is_asking_once(cast):
    client = app(cast)
    for _ in range(2):
        authorizations.ask(actor=cast.actor(cast.cleo), client_id=str(client.id))
    found = row(client, cast.globex)
    assert (found.state, found.scope, found.requested_by_name) == (REQUESTED, [], "Cleo")
    assert found.version == 1
    assert lines("app.asked") == 1
    assert AuditEvent.objects.get(action="app.asked").organization_id == cast.globex.id


def test_who_asked_first_stays(cast):
    client = app(cast, cast.ben)
    authorizations.ask(actor=cast.actor(cast.eve), client_id=client.id)
    assert row(client).requested_by_name == "Ben"


@pytest.mark.parametrize("no", ["decline", "revoke"])
def test_asking_never_lifts_a_no(cast, no):
    ada = cast.actor(cast.ada)
    client = app(cast, cast.ben if no == "decline" else cast.ada)
    getattr(authorizations, no)(actor=ada, client_id=client.id)
    authorizations.ask(actor=cast.actor(cast.eve), client_id=client.id)
    assert said(client) == (DECLINED if no == "decline" else REVOKED, [], True)
    authorizations.decline(actor=ada, client_id=client.id)
    assert said(client) == (DECLINED if no == "decline" else REVOKED, [], False)


def test_asking_for_an_authorized_app_waits_only_if_there_is_more_to_have(cast):
    ada, client = cast.actor(cast.ada), app(cast)
    authorizations.ask(actor=cast.actor(cast.eve), client_id=client.id)
    assert said(client) == (AUTHORIZED, sorted(ASKED), False)
    authorizations.approve(actor=ada, client_id=client.id, scope=["users"])
    authorizations.ask(actor=cast.actor(cast.eve), client_id=client.id)
    assert said(client) == (AUTHORIZED, ["users"], True)


# --- Approving -----------------------------------------------------------------------------------


def test_cleo_authorizes_an_app_of_acme_for_two_of_three_scopes(cast):
    client = app(cast)
    cleo = cast.actor(cast.cleo)
    authorizations.approve(actor=cleo, client_id=client.id, scope=["users:readonly", "routing"], version=0)
    assert said(client, cast.globex) == (AUTHORIZED, ["routing", "users:readonly"], False)
    assert said(client, cast.acme) == (AUTHORIZED, sorted(ASKED), False)
    assert row(client, cast.globex).version == 1


def test_approving_answers_the_request_and_can_be_edited_and_done_again(cast):
    ada, client = cast.actor(cast.ada), app(cast, cast.ben)
    supervisor = str(cast.role("Supervisor").id)
    authorizations.approve(actor=ada, client_id=client.id, scope=["users"], roles=[supervisor])
    assert said(client) == (AUTHORIZED, ["users"], False)
    assert row(client).roles == [supervisor]
    authorizations.approve(actor=ada, client_id=client.id, scope=["users:readonly"])
    assert (row(client).scope, row(client).roles) == (["users:readonly"], [])
    authorizations.revoke(actor=ada, client_id=client.id)
    authorizations.approve(actor=ada, client_id=client.id, scope=["users"])
    assert said(client) == (AUTHORIZED, ["users"], False)
    assert [lines(f"app.{verb}") for verb in ("approved", "authorizationEdited", "revoked")] == [2, 1, 1]
    edited = AuditEvent.objects.get(action="app.authorizationEdited")
    assert (edited.before["roles"], edited.after["roles"]) == (["Supervisor"], [])


def test_saving_what_is_saved_already_changes_nothing(cast):
    client = app(cast)
    before = (row(client).version, AuditEvent.objects.count())
    authorizations.approve(actor=cast.actor(cast.ada), client_id=client.id, scope=ASKED)
    assert (row(client).version, AuditEvent.objects.count()) == before


@pytest.mark.parametrize(
    ("scope", "code"),
    [
        ((), "missing.client.scope"),
        (("oauth",), "auth.invalid.scope"),
        (("users", "oauth"), "auth.invalid.scope"),
        (("no-such-scope",), "auth.invalid.scope"),
        (("routing", "user-basic-info", "users", "users:readonly", ""), "auth.invalid.scope"),
    ],
)
def test_only_scopes_that_the_app_asks_for_can_be_authorized(cast, scope, code):
    client = app(cast, cast.ben)
    before = AuditEvent.objects.count()
    with pytest.raises(Invalid) as refused:
        authorizations.approve(actor=cast.actor(cast.ada), client_id=client.id, scope=scope)
    assert refused.value.code == code
    assert said(client) == (REQUESTED, [], True)
    assert AuditEvent.objects.count() == before


def test_reading_alone_asked_for_cannot_be_authorized_as_changing(cast):
    client = app(cast, cast.ben, scope=("users:readonly",))
    with pytest.raises(Invalid):
        authorizations.approve(actor=cast.actor(cast.ada), client_id=client.id, scope=["users"])


def test_an_app_is_limited_to_roles_of_ones_own_organization_only(cast):
    client = app(cast, cast.ben)
    foreign = str(cast.role("Supervisor", cast.globex).id)
    for roles in ([foreign], [str(uuid.uuid4())], ["x"], [str(cast.role("Employee").id), foreign]):
        with pytest.raises(Invalid) as refused:
            authorizations.approve(
                actor=cast.actor(cast.ada), client_id=client.id, scope=["users"], roles=roles
            )
        assert [problem.field for problem in refused.value.problems] == ["roles"]
    assert said(client) == (REQUESTED, [], True)


def test_a_role_that_was_deleted_goes_on_keeping_people_out(cast):
    client, gone = app(cast), str(uuid.uuid4())
    ClientAuthorization.objects.filter(client=client).update(roles=[gone])
    authorizations.approve(actor=cast.actor(cast.ada), client_id=client.id, scope=["users"], roles=[gone])
    assert row(client).roles == [gone]


def test_two_administrators_at_once_do_not_overwrite_each_other(cast):
    ada, client = cast.actor(cast.ada), app(cast, cast.ben)
    seen = row(client).version
    authorizations.decline(actor=ada, client_id=client.id, version=seen)
    for late in (
        lambda: authorizations.approve(actor=ada, client_id=client.id, scope=["users"], version=seen),
        lambda: authorizations.decline(actor=ada, client_id=client.id, version=seen),
        lambda: authorizations.approve(actor=ada, client_id=client.id, scope=["users"], version=0),
    ):
        with pytest.raises(Conflict) as refused:
            late()
        assert refused.value.code == "general.conflict"
        assert "Ada changed this" in refused.value.message
    assert said(client) == (DECLINED, [], False)


# --- Saying no, and taking back ------------------------------------------------------------------


def test_declining_a_request_for_more_keeps_what_is_authorized_and_its_tokens(cast):
    client = app(cast)
    signed_in(cast.eve, client)
    edit(cast.actor(cast.ben), client, scope=(*ASKED, "oauth"))
    authorizations.decline(actor=cast.actor(cast.ada), client_id=client.id)
    assert said(client) == (AUTHORIZED, sorted(ASKED), False)
    assert living(client) == 1


def test_an_app_can_be_declined_before_anybody_asks_for_it(cast):
    client = app(cast)
    signed_in(cast.cleo, client)  # Globex may not enforce scopes
    signed_in(cast.eve, client)
    authorizations.decline(actor=cast.actor(cast.cleo), client_id=client.id, version=0)
    assert said(client, cast.globex) == (DECLINED, [], False)
    assert living(client) == 1  # Eve's


def test_there_must_be_something_to_decline_or_to_revoke(cast):
    ada, client = cast.actor(cast.ada), app(cast)
    with pytest.raises(Conflict):
        authorizations.decline(actor=ada, client_id=client.id)
    authorizations.revoke(actor=ada, client_id=client.id)
    for again in (authorizations.revoke, authorizations.decline):
        with pytest.raises(Conflict):
            again(actor=ada, client_id=client.id)
    assert lines("app.revoked") == 1


def test_revoking_ends_the_tokens_of_this_organization_and_no_others(cast):
    client, other = app(cast), app(cast, name="Other")
    authorizations.approve(actor=cast.actor(cast.cleo), client_id=client.id, scope=["users"])
    for user, which in ((cast.eve, client), (cast.ben, client), (cast.cleo, client), (cast.eve, other)):
        signed_in(user, which)
    authorizations.revoke(actor=cast.actor(cast.ada), client_id=client.id)
    assert said(client) == (REVOKED, [], False)
    assert said(client, cast.globex) == (AUTHORIZED, ["users"], False)
    assert (living(client), living(other)) == (1, 1)
    assert TokenFamily.objects.filter(ended_at=None).count() == 2
    assert AuditEvent.objects.get(action="app.revoked").after["tokens"] == 2


def test_revoking_keeps_the_limit_to_some_roles_for_the_next_time(cast):
    ada, client, role = cast.actor(cast.ada), app(cast), str(cast.role("Supervisor").id)
    authorizations.approve(actor=ada, client_id=client.id, scope=["users"], roles=[role])
    authorizations.revoke(actor=ada, client_id=client.id)
    assert row(client).roles == [role]


# --- Who, and which ------------------------------------------------------------------------------

ANSWERS = [
    lambda actor, client_id: authorizations.approve(actor=actor, client_id=client_id, scope=["users"]),
    lambda actor, client_id: authorizations.decline(actor=actor, client_id=client_id),
    lambda actor, client_id: authorizations.revoke(actor=actor, client_id=client_id),
]
CALLS = [*ANSWERS, lambda actor, client_id: authorizations.ask(actor=actor, client_id=client_id)]


@pytest.mark.parametrize("answer", ANSWERS)
def test_answering_needs_the_permission_and_a_person(cast, answer):
    client = app(cast, cast.ben)
    before = AuditEvent.objects.count()
    for actor in (cast.actor(cast.ben), cast.actor(cast.eve), via(cast.actor(cast.ada))):
        with pytest.raises(NotAllowed):
            answer(actor, client.id)
    assert said(client) == (REQUESTED, [], True)
    assert AuditEvent.objects.count() == before


@pytest.mark.parametrize("call", CALLS)
def test_there_must_be_such_an_app(cast, call):
    gone = app(cast, name="Gone")
    Client.objects.filter(id=gone.id).update(date_to_delete=timezone.now() - timedelta(seconds=1))
    service, _secret = cast.client(("Supervisor", cast.home), name="Service")
    for nothing in (uuid.uuid4(), "not an id", "", gone.id):
        with pytest.raises(NotFound) as refused:
            call(cast.actor(cast.ada), nothing)
        assert "Check with the app's developer" in refused.value.message
    # One's own service acts for itself; about another organization's nothing is told.
    with pytest.raises(Invalid):
        call(cast.actor(cast.ada), service.id)
    with pytest.raises(NotFound):
        call(cast.actor(cast.cleo), service.id)


def test_the_api_tells_the_roles_and_whether_somebody_waits(cast):
    ada, client, role = cast.actor(cast.ada), app(cast, cast.ben), str(cast.role("Supervisor").id)
    assert shapes.authorization(row(client))["pending"] is True
    authorizations.approve(actor=ada, client_id=client.id, scope=["users"], roles=[role])
    told = shapes.authorization(row(client))
    assert (told["state"], told["pending"], told["roles"]) == ("Authorized", False, [role])
    authorizations.ask(actor=cast.actor(cast.eve), client_id=client.id)
    told = shapes.authorization(row(client))
    assert (told["state"], told["pending"], told["scope"]) == ("Authorized", True, ["users"])


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer at a time")
def test_of_many_first_words_at_once_one_is_said():
    cast = standing_cast.make()
    client, cleo = app(cast), cast.actor(cast.cleo)
    barrier, results = threading.Barrier(6), []

    def run(call):
        barrier.wait()
        try:
            results.append(call())
        except DomainError as error:
            results.append(error)
        finally:
            connection.close()

    calls = [
        lambda: authorizations.approve(actor=cleo, client_id=client.id, scope=["users"], version=0),
        lambda: authorizations.decline(actor=cleo, client_id=client.id, version=0),
    ] * 3
    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(isinstance(result, Conflict) for result in results) == [False, *[True] * 5]
    assert row(client, cast.globex).version == 1
