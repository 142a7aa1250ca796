"""Statements that are compiled once read and write what the ORM would, and remember nothing."""

from __future__ import annotations

import uuid
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, IntegrityError, connection, models, transaction
from django.db.models import CharField, Count, Q
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oauth2_provider.models import get_access_token_model

from accounts import queries as account_queries
from accounts import statements
from accounts.actor import system
from accounts.models import Division, Organization, Role, RoleGrant, SubjectType, User, UserState
from accounts.permissions import CATALOGUE as PERMISSIONS
from accounts.permissions import Permission, policies_for
from accounts.services import divisions, grants, people, roles
from oauthclients import queries
from oauthclients.models import AuthorizationState, Client, ClientAuthorization, ClientSecret, ClientState
from oauthclients.rules.effective_access import EffectiveAccess
from oauthclients.services import authorizations, clients, secrets, tokens

AccessToken = get_access_token_model()
on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="what PostgreSQL does")


def same(one: models.Model, other: models.Model) -> None:
    """The same row, column by column, with the same types."""
    for field in one._meta.concrete_fields:
        mine, its = getattr(one, field.attname), getattr(other, field.attname)
        if isinstance(field, models.BinaryField):
            mine, its = bytes(mine), bytes(its)
        assert (field.attname, mine, type(mine)) == (field.attname, its, type(its))


# --- Reading -------------------------------------------------------------------------------------

SECRETS = statements.Select(
    lambda client_id, now: (
        ClientSecret.objects.filter(client_id=client_id)
        .filter(Q(ends_at=None) | Q(ends_at__gt=now))
        .select_related("client__organization")
        .annotate(named=models.F("client__name"))
        .order_by("created_at", "pk")
    ),
    client_id=models.UUIDField(),
    now=models.DateTimeField(),
)


def test_a_compiled_statement_finds_what_the_orm_finds(cast):
    client, _secret = cast.client(("Employee", cast.home), name="Billing")
    now = timezone.now()
    ClientSecret.objects.create(
        client=client,
        digest=b"\0\xff'\\",
        created_at=now + timedelta(hours=1),
        ends_at=now + timedelta(days=1),
    )
    ClientSecret.objects.create(
        client=client, digest=b"gone", created_at=now, ends_at=now - timedelta(seconds=1)
    )
    usual = list(
        ClientSecret.objects.filter(client=client)
        .filter(Q(ends_at=None) | Q(ends_at__gt=now))
        .select_related("client__organization")
        .order_by("created_at")
    )

    found = SECRETS(client_id=client.id, now=now)

    assert found == usual
    assert len(found) == 2
    for one, other in zip(found, usual, strict=True):
        same(one, other)
        same(one.client, other.client)
        same(one.client.organization, other.client.organization)
        assert one.named == "Billing"


def test_what_was_selected_with_a_row_costs_no_other_statement(cast, django_assert_num_queries):
    client, _secret = cast.client(("Employee", cast.home))
    SECRETS(client_id=client.id, now=timezone.now())

    with django_assert_num_queries(1):
        found = SECRETS.first(client_id=client.id, now=timezone.now())
        assert found.client.organization.name == "Acme"


def test_lists_dates_and_counts_come_back_as_the_models_say(cast):
    client, _secret = cast.client(("Employee", cast.home), ("Supervisor", cast.east))
    authorization = ClientAuthorization.objects.create(
        organization=cast.acme,
        client=client,
        scope=["users", "it's", "ü", '"'],
        state=AuthorizationState.AUTHORIZED,
        not_before=datetime(2030, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
    )
    read = statements.Select(
        lambda key: ClientAuthorization.objects.filter(pk=key).order_by(), key=models.UUIDField()
    )
    held = statements.Select(
        lambda org: (
            Role.objects.filter(organization_id=org).annotate(holders=Count("grants")).order_by("name")
        ),
        org=models.UUIDField(),
    )

    (found,) = read(key=authorization.pk)

    same(found, ClientAuthorization.objects.get(pk=authorization.pk))
    usual = Role.objects.filter(organization=cast.acme).annotate(holders=Count("grants")).order_by("name")
    assert [(one, one.holders, one.policies) for one in held(org=cast.acme.id)] == [
        (one, one.holders, one.policies) for one in usual
    ]


def test_a_row_without_its_optional_relation_has_none(cast):
    client, secret = cast.client(("Employee", cast.home))
    cast.token(client, secret)
    own = queries.token(AccessToken.objects.get().token_checksum)

    value = cast.acting_for(cast.eve, cast.app("users").client, "users")["Authorization"].split()[1]
    of_person = queries.token(tokens.digest(value))

    assert (own.user, own.application) == (None, client)
    assert (of_person.user, of_person.user.division, of_person.user.organization) == (
        cast.eve,
        cast.east,
        cast.acme,
    )


def test_what_is_not_there_is_nothing(cast):
    assert SECRETS(client_id=uuid.uuid4(), now=timezone.now()) == []
    assert SECRETS.first(client_id=uuid.uuid4(), now=timezone.now()) is None
    assert queries.token("0" * 64) is None


@pytest.mark.parametrize("sent", ["", "'; DROP TABLE x; --", "%s %(a)s", "\\x00", "ü", "9" * 300])
def test_a_value_is_never_part_of_the_statement(cast, sent):
    assert queries.token(sent) is None
    assert secrets.find(uuid.uuid4(), sent, timezone.now()) is None


# --- Parameters ----------------------------------------------------------------------------------


def test_parameters_are_never_mixed_up(cast):
    """Each stands where it was used, as often as it was, in whatever order they were given."""
    by = statements.Select(
        lambda name, email, either: (
            User.objects.filter(name=name, email=email)
            .filter(Q(title=either) | Q(department=either) | Q(title=name))
            .order_by()
        ),
        either=CharField(),
        email=CharField(),
        name=CharField(),
    )
    User.objects.filter(id=cast.eve.id).update(title="x", department="y")

    assert by(name="Eve", email=cast.eve.email, either="y") == [cast.eve]
    assert by(either="x", email=cast.eve.email, name="Eve") == [cast.eve]
    assert by(name=cast.eve.email, email="Eve", either="x") == []
    assert by(name="Eve", email=cast.eve.email, either="Eve") == []
    # Two parameters with one value, and one with that of a constant in the statement.
    assert by(name="Eve", email="Eve", either="Eve") == []


def test_a_constant_of_the_statement_stays_what_it_is(cast):
    active = statements.Select(
        lambda name: User.objects.filter(name=name, state=UserState.ACTIVE).order_by(), name=CharField()
    )

    assert active(name="Eve") == [cast.eve]
    assert active(name=UserState.ACTIVE) == []


@pytest.mark.parametrize(
    "values",
    [{}, {"name": "Eve"}, {"name": "Eve", "mail": "x"}],
    ids=["none", "one of two", "misspelt"],
)
def test_a_parameter_that_is_missing_is_a_mistake(cast, values):
    by = statements.Select(
        lambda name, email: User.objects.filter(name=name, email=email), name=CharField(), email=CharField()
    )

    with pytest.raises(KeyError):
        by(**values)


def test_a_parameter_that_the_statement_does_not_use_is_a_mistake(cast):
    unused = statements.Select(
        lambda name, email: User.objects.filter(name=name), name=CharField(), email=CharField()
    )

    with pytest.raises(AssertionError):
        unused(name="Eve", email="x")


def test_a_statement_is_put_together_once(cast):
    compiled = []
    by = statements.Select(
        lambda name: compiled.append(name) or User.objects.filter(name=name).order_by(), name=CharField()
    )

    assert [by(name=name) for name in ("Eve", "Ben", "Eve")] == [[cast.eve], [cast.ben], [cast.eve]]
    assert len(compiled) == 1


# --- What becomes of an instance -----------------------------------------------------------------


def test_an_instance_read_this_way_is_changed_and_read_again_like_any_other(cast):
    client, _secret = cast.client(("Employee", cast.home))
    found = SECRETS.first(client_id=client.id, now=timezone.now())
    now = timezone.now()

    found.ends_at = now
    found.save(update_fields=["ends_at"])
    found.client.name = "Renamed"
    found.client.save()

    assert ClientSecret.objects.get().ends_at == now
    assert Client.objects.get().name == "Renamed"
    ClientSecret.objects.update(last_four="abcd")
    found.refresh_from_db()
    assert found.last_four == "abcd"
    assert not found._state.adding
    assert found._state.db == "default"
    found.delete()
    assert not ClientSecret.objects.exists()


# --- Writing -------------------------------------------------------------------------------------


def added(model, **values):
    row = model(**values)
    statements.Insert(model)(row)
    return row


def test_what_is_inserted_is_what_the_orm_would_have_inserted(cast):
    client, _secret = cast.client(("Employee", cast.home))
    before = timezone.now()

    row = added(
        ClientAuthorization,
        organization=cast.acme,
        client=client,
        scope=["users", "quote \" and ' and %s"],
        roles=[str(uuid.uuid4())],
        state=AuthorizationState.AUTHORIZED,
        not_before=datetime(2030, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
    )

    read = ClientAuthorization.objects.get(pk=row.pk)
    row.refresh_from_db(fields=["state"])  # was an enum, and is a text now
    same(row, read)
    assert before <= read.created_at <= timezone.now()  # `auto_now_add` is seen to


def test_bytes_are_inserted_as_they_are(cast):
    client, _secret = cast.client(("Employee", cast.home))
    every_byte = bytes(range(256))

    added(
        ClientSecret,
        client=client,
        digest=every_byte,
        last_four="1234",
        created_at=timezone.now(),
        created_by_name="x",
        ends_at=timezone.now(),
    )

    assert every_byte in [bytes(one.digest) for one in ClientSecret.objects.all()]


def test_a_row_that_may_not_be_is_refused_as_django_refuses_it(cast):
    client, _secret = cast.client(("Employee", cast.home))
    values = {"organization": cast.acme, "client": client, "state": AuthorizationState.REQUESTED}
    added(ClientAuthorization, **values)

    with pytest.raises(IntegrityError), transaction.atomic():
        added(ClientAuthorization, **values)
    with pytest.raises(IntegrityError), transaction.atomic():
        added(ClientAuthorization, **{**values, "state": None})

    # The savepoint took it back, and nothing else.
    assert ClientAuthorization.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_row_that_refers_to_nothing_is_refused_at_once_or_when_the_transaction_ends(cast):
    with pytest.raises(IntegrityError), transaction.atomic():
        added(
            ClientAuthorization,
            organization=cast.acme,
            client_id=uuid.uuid4(),
            state=AuthorizationState.REQUESTED,
        )

    assert not ClientAuthorization.objects.exists()


def test_a_transaction_that_is_broken_takes_no_more_statements(cast):
    with transaction.atomic():
        transaction.set_rollback(True)
        with pytest.raises(transaction.TransactionManagementError):
            SECRETS(client_id=uuid.uuid4(), now=timezone.now())


def test_statements_are_counted(cast, django_assert_num_queries):
    client, secret = cast.client(("Employee", cast.home))
    cast.token(client, secret)

    with CaptureQueriesContext(connection) as seen:
        cast.token(client, secret)

    assert [one["sql"].split()[0] for one in seen] == ["SELECT", "INSERT"]
    with django_assert_num_queries(1):
        queries.token("0" * 64)


def test_whoever_looks_on_sees_the_statement_and_may_refuse_it(cast):
    def refuse(execute, sql, params, many, context):
        raise DatabaseError("no")

    with connection.execute_wrapper(refuse), pytest.raises(DatabaseError):
        queries.token("0" * 64)

    assert queries.token("0" * 64) is None


# --- A connection that is gone -------------------------------------------------------------------


@contextmanager
def somebody_else():
    other = connection.copy()
    try:
        yield other
    finally:
        other.close()


def cut_off() -> None:
    """The database ends this connection, as when it restarts."""
    connection.ensure_connection()
    pid = connection.connection.info.backend_pid
    with somebody_else() as other, other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_a_connection_that_is_gone_is_replaced(cast):
    client, _secret = cast.client(("Employee", cast.home))
    SECRETS(client_id=client.id, now=timezone.now())
    was = connection.connection
    cut_off()

    found = SECRETS.first(client_id=client.id, now=timezone.now())

    assert found.client == client
    assert connection.connection is not was


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away_is_asked_once_more_and_then_said_to_be_away(cast, monkeypatch):
    asked = []
    fetched = statements._fetched
    monkeypatch.setattr(statements, "_fetched", lambda *sent: asked.append(sent) or fetched(*sent))
    cut_off()

    with monkeypatch.context() as away:
        away.setitem(connection.settings_dict, "PORT", "1")
        with pytest.raises(DatabaseError):
            queries.token("0" * 64)
        assert len(asked) == 2

    assert queries.token("0" * 64) is None
    assert len(asked) == 3


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_inside_a_transaction_a_connection_that_is_gone_is_an_error(cast):
    """What was done before in it is lost: to go on would do half of it."""

    def half_of_it():
        with transaction.atomic():
            Organization.objects.filter(id=cast.acme.id).update(name="Changed")
            cut_off()
            queries.token("0" * 64)

    with pytest.raises(DatabaseError):
        half_of_it()

    assert Organization.objects.get(id=cast.acme.id).name == "Acme"


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_nothing_is_written_twice_for_a_connection_that_is_gone(cast):
    client, _secret = cast.client(("Employee", cast.home))
    cut_off()

    with pytest.raises(DatabaseError):
        added(
            ClientAuthorization, organization=cast.acme, client=client, state=AuthorizationState.REQUESTED
        )

    connection.close()
    assert not ClientAuthorization.objects.exists()


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_a_statement_is_prepared_once_unless_the_pooler_cannot_have_that(cast, monkeypatch):
    def prepared() -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%%token_checksum%%'"
            )
            return cursor.fetchone()[0]

    options = connection.settings_dict["OPTIONS"]
    try:
        monkeypatch.setitem(options, "prepare_threshold", 1)
        connection.close()
        for _ in range(3):
            queries.token("0" * 64)
        assert prepared() == 1

        monkeypatch.delitem(options, "prepare_threshold")  # DATABASE_PREPARE=false
        connection.close()
        for _ in range(3):
            queries.token("0" * 64)
        assert prepared() == 0
    finally:
        connection.close()


# --- One statement from token to decision --------------------------------------------------------

SCOPES = ("users", "users:readonly", "oauth", "oauth:readonly", "authorization", "user-basic-info")
SOME = sorted(PERMISSIONS)
WILDCARDS = [
    {"domain": "directory", "entityName": "*", "actionSet": ["*"]},
    {"domain": "oauth", "entityName": "client", "actionSet": ["*"]},
    {"domain": "authorization", "entityName": "*", "actionSet": ["view"]},
    {"domain": "nothing", "entityName": "known", "actionSet": ["*"]},
]
policies = st.builds(
    lambda named, wild: policies_for(named) + wild,
    st.sets(st.sampled_from(SOME), max_size=6),
    st.lists(st.sampled_from(WILDCARDS), max_size=2, unique_by=str),
)
scope_lists = st.lists(st.sampled_from(SCOPES), max_size=4, unique=True)
# What a role is called must never matter; nor must a quote in it.
names = st.sampled_from(
    ["Plain", "It's", '"Quoted"', "Zoë ☂", "[1, 2]", "null", "%s", "back\\slash", "a\nb"]
)
said = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {
            "state": st.sampled_from(AuthorizationState.values),
            "scope": scope_lists,
            "limits": st.sets(st.integers(0, 3), max_size=2),
            "not_before": st.sampled_from([None, -1, 0, 1]),
        }
    ),
)


@pytest.mark.django_db
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    held=st.lists(
        st.tuples(names, policies, st.sets(st.sampled_from(["all", "home", "east", "west"]))), max_size=3
    ),
    asked=scope_lists,
    agreed=scope_lists,
    enforced=st.booleans(),
    word=said,
    word_of_others=st.booleans(),
    own=st.booleans(),
)
def test_one_statement_decides_as_the_long_way_does(
    cast, held, asked, agreed, enforced, word, word_of_others, own
):
    """Whatever is held, asked for, agreed to and said: the same decision on every permission, scope and
    division, and the same reason why not."""
    with transaction.atomic():
        app, client = _two_clients(cast, asked)
        subject = client.id if own else cast.eve.id
        made = _given(cast, subject, own, held)
        Organization.objects.filter(id=cast.acme.id).update(enforce_scopes=enforced)
        given_at = timezone.now().replace(microsecond=123456)
        if word is not None:
            limits = [
                str(made[at].id) if at < len(made) else str(uuid.uuid4()) for at in sorted(word["limits"])
            ]
            shift = word["not_before"]
            ClientAuthorization.objects.create(
                organization=cast.acme,
                client=app,
                state=word["state"],
                scope=word["scope"],
                roles=limits,
                # A microsecond earlier, the very moment, or one later.
                not_before=None if shift is None else given_at + timedelta(microseconds=shift),
            )
        if word_of_others:
            ClientAuthorization.objects.create(
                organization=cast.globex,
                client=app,
                state=AuthorizationState.AUTHORIZED,
                scope=list(SCOPES),
            )
        AccessToken.objects.create(
            application=client if own else app,
            user=None if own else cast.eve,
            token_checksum="d" * 64,
            scope=" ".join(agreed),
            expires=given_at + timedelta(hours=1),
        )
        AccessToken.objects.update(created=given_at)

        with CaptureQueriesContext(connection) as seen:
            token = queries.token("d" * 64)
            short = queries.effective_access_of(token)
        long = (
            EffectiveAccess(account_queries.access_of(client.organization_id, client.id))
            if own
            else queries.effective_access(
                User.objects.select_related("organization").get(id=cast.eve.id), app, agreed, given_at
            )
        )

        assert len(seen) == 1
        assert short.scopes == long.scopes
        assert short.barrier == long.barrier
        assert set(short.access.held) == set(long.access.held)
        assert len(short.access.held) == len(long.access.held)
        for where in (None, cast.home.id, cast.east.id, cast.west.id, uuid.uuid4()):
            for permission in SOME:
                for scope in SCOPES:
                    asked_for = {"scopes": (scope,), "division_id": where}
                    assert short.decide(permission, **asked_for) == long.decide(permission, **asked_for)
        transaction.set_rollback(True)


def _two_clients(cast, asked) -> tuple[Client, Client]:
    made = [
        Client(
            organization=cast.acme,
            name=name,
            authorization_grant_type=grant_type,
            scope=asked,
            redirect_uris="https://app.example/callback",
        )
        for name, grant_type in (("App", "authorization-code"), ("Service", "client-credentials"))
    ]
    for one in made:
        one.save()
    return made[0], made[1]


def _given(cast, subject, own, held) -> list[Role]:
    RoleGrant.objects.filter(subject_id=subject).delete()
    places = {"all": None, "home": cast.home, "east": cast.east, "west": cast.west}
    made = []
    for number, (name, some_policies, where) in enumerate(held):
        role = Role.objects.create(organization=cast.acme, name=f"{name} {number}", policies=some_policies)
        made.append(role)
        for place in sorted(where):
            RoleGrant.objects.create(
                organization=cast.acme,
                subject_type=SubjectType.CLIENT if own else SubjectType.USER,
                subject_id=subject,
                role=role,
                division=places[place],
            )
    return made


# --- Nothing is remembered -----------------------------------------------------------------------


@pytest.fixture
def service(cast):
    """A client that sees the people of East by a role of its own, with its token."""
    role = cast.custom_role("Viewer", Permission.DIRECTORY_USER_VIEW)
    client, secret = cast.client(("Viewer", cast.east), name="Service")
    return client, secret, role, {"Authorization": f"Bearer {cast.token(client, secret)}"}


@pytest.fixture
def for_eve(cast):
    """An app of Acme's, and the headers of its token for Eve."""
    client = cast.app("users", "user-basic-info").client
    cast.give(cast.eve, ("Supervisor", cast.east))
    return client, cast.acting_for(cast.eve, client, "users", "user-basic-info")


def seen_by(browser, headers, path="/api/v2/users") -> int:
    return browser.get(path, headers=headers).status_code


def change_role(cast, client, role):
    roles.change(
        actor=system(cast.acme),
        role_id=role.id,
        version=role.version,
        name=role.name,
        description="",
        policies=policies_for([Permission.OAUTH_CLIENT_VIEW]),
    )


def take_pair(cast, client, role):
    grants.replace(actor=system(cast.acme), subject_type=SubjectType.CLIENT, subject_id=client.id, pairs=[])


def delete_division(cast, client, role):
    divisions.delete(
        actor=system(cast.acme), division_id=cast.east.id, move_to=cast.home.id, with_grants=True
    )


@pytest.mark.parametrize("change", [change_role, take_pair, delete_division], ids=lambda it: it.__name__)
def test_a_right_that_is_taken_is_missed_at_the_very_next_call(cast, client, service, change):
    app, _secret, role, headers = service
    assert [seen_by(client, headers) for _ in range(2)] == [200, 200]

    change(cast, app, role)

    assert seen_by(client, headers) == 403


def test_a_role_that_is_given_back_counts_again(cast, client, service):
    """What was remembered of a text stays true: it says what the text means, and not who holds it."""
    _app, _secret, role, headers = service
    was = role.policies
    for policies_now, status in ((was, 200), ([], 403), (was, 200), ([], 403)):
        Role.objects.filter(id=role.id).update(policies=policies_now)
        assert seen_by(client, headers) == status


def test_two_who_hold_equal_things_lose_them_apart(cast, client, service):
    _app, _secret, _role, headers = service
    twin, twins_secret = cast.client(("Viewer", cast.east), name="Twin")
    twins = {"Authorization": f"Bearer {cast.token(twin, twins_secret)}"}
    assert (seen_by(client, headers), seen_by(client, twins)) == (200, 200)

    RoleGrant.objects.filter(subject_id=twin.id).delete()

    assert (seen_by(client, headers), seen_by(client, twins)) == (200, 403)


def test_a_client_that_is_disabled_is_refused_at_the_very_next_call(cast, client, service):
    app, _secret, _role, headers = service
    assert seen_by(client, headers) == 200

    clients.set_enabled(actor=system(cast.acme), client_id=app.id, enabled=False)
    assert seen_by(client, headers) == 401

    clients.set_enabled(actor=system(cast.acme), client_id=app.id, enabled=True)
    assert seen_by(client, headers) == 200


def test_a_client_of_an_organization_that_is_off_is_refused_at_the_very_next_call(cast, client, service):
    _app, _secret, _role, headers = service
    assert seen_by(client, headers) == 200

    Organization.objects.filter(id=cast.acme.id).update(active=False)

    assert seen_by(client, headers) == 401


def test_a_secret_that_is_replaced_gets_no_more_tokens(cast, service):
    app, secret, _role, _headers = service
    now = timezone.now()
    assert secrets.find(app.id, secret, now)

    fresh = secrets.generate(actor=system(cast.acme), client_id=app.id).reveal()

    assert secrets.find(app.id, secret, timezone.now()) is None
    assert secrets.find(app.id, fresh, timezone.now())
    assert secrets.find(uuid.uuid4(), fresh, timezone.now()) is None


def test_a_secret_works_to_its_very_end(cast, service):
    app, secret, _role, _headers = service
    end = timezone.now()
    ClientSecret.objects.filter(client=app).update(ends_at=end)

    assert secrets.find(app.id, secret, end - timedelta(microseconds=1))
    assert secrets.find(app.id, secret, end) is None


def revoke_authorization(cast, app):
    authorizations.revoke(actor=cast.actor(cast.ada), client_id=app.id)


def deactivate_person(cast, app):
    eve = User.objects.get(id=cast.eve.id)
    people.change(
        actor=system(cast.acme), user_id=eve.id, version=eve.version, values={"state": UserState.INACTIVE}
    )


def delete_app(cast, app):
    clients.delete(actor=system(cast.acme), client_id=app.id)


@pytest.mark.parametrize(
    "change", [revoke_authorization, deactivate_person, delete_app], ids=lambda it: it.__name__
)
def test_an_app_whose_ground_is_taken_away_is_refused_at_the_very_next_call(cast, client, for_eve, change):
    app, headers = for_eve
    assert [seen_by(client, headers, "/api/v2/users/me") for _ in range(2)] == [200, 200]

    change(cast, app)

    assert seen_by(client, headers, "/api/v2/users/me") in (401, 403)


def test_an_authorization_that_is_narrowed_counts_at_the_very_next_call(cast, client, for_eve):
    app, headers = for_eve
    assert seen_by(client, headers) == 200

    ClientAuthorization.objects.filter(client=app).update(scope=["user-basic-info"])

    assert seen_by(client, headers) == 403


def test_a_person_who_loses_a_role_loses_it_in_their_apps(cast, client, for_eve):
    _app, headers = for_eve
    assert seen_by(client, headers) == 200

    cast.give(cast.eve, ("Employee", cast.home))

    assert seen_by(client, headers) == 403


def test_an_app_that_is_off_is_off_for_everybody(cast, client, for_eve):
    app, headers = for_eve
    Client.objects.filter(id=app.id).update(state=ClientState.DISABLED)

    assert seen_by(client, headers, "/api/v2/users/me") == 401


def test_a_division_that_is_new_is_in_a_role_everywhere(cast, client):
    headers = cast.bearer(("Supervisor", None))
    assert seen_by(client, headers) == 200

    north = divisions.create(actor=system(cast.acme), name="North")
    cast.person("Nora", north)

    names_now = {one["name"] for one in client.get("/api/v2/users", headers=headers).json()["entities"]}
    assert "Nora" in names_now
    assert Division.objects.filter(id=north.id).exists()


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_a_plan_that_a_migration_has_made_void_is_made_again(cast):
    """PostgreSQL: "cached plan must not change result type"."""
    client, _secret = cast.client(("Employee", cast.home))
    SECRETS(client_id=client.id, now=timezone.now())
    with somebody_else() as other, other.cursor() as cursor:
        cursor.execute("ALTER TABLE oauthclients_clientsecret ALTER created_by_name TYPE text")
    try:
        found = SECRETS.first(client_id=client.id, now=timezone.now())
    finally:
        with somebody_else() as other, other.cursor() as cursor:
            cursor.execute("ALTER TABLE oauthclients_clientsecret ALTER created_by_name TYPE varchar(200)")

    assert found.client == client


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_statements_that_somebody_has_deallocated_are_prepared_again(cast):
    """As psycopg does when a transaction is rolled back; and the database must not be asked under a name twice."""
    client, _secret = cast.client(("Employee", cast.home))

    def ask():
        assert SECRETS.first(client_id=client.id, now=timezone.now()).client == client
        assert queries.token("0" * 64) is None
        assert [pair.role.name for pair in queries.pairs_of(client)] == ["Employee"]

    ask()
    for _ in range(3):
        with connection.cursor() as cursor:
            cursor.execute("DEALLOCATE ALL")
        ask()


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_a_pooler_that_lends_another_connection_for_each_transaction(cast, monkeypatch):
    """What has just been prepared was prepared elsewhere."""
    client, _secret = cast.client(("Employee", cast.home))
    prepare, lost = statements.prepared._Session._prepare, []

    def elsewhere(self, sql, kinds):
        name = prepare(self, sql, kinds)
        self.connection.pgconn.exec_(b"DEALLOCATE " + name)
        lost.append(name)
        return name

    monkeypatch.setattr(statements.prepared._Session, "_prepare", elsewhere)
    for _ in range(3):
        assert SECRETS.first(client_id=client.id, now=timezone.now()).client == client
        assert queries.token("0" * 64) is None
    assert len(lost) >= 4


@on_postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("inside", [True, False], ids=["in a transaction", "outside"])
def test_rows_are_what_djangos_own_cursor_reads(cast, inside, monkeypatch):
    """Every type that the hot paths read, with what is null and what is not."""
    client, secret = cast.client(("Employee", cast.home), ("Supervisor", cast.east))
    cast.token(client, secret)
    cast.acting_for(cast.eve, cast.app("users").client, "users")
    digests = list(AccessToken.objects.values_list("token_checksum", flat=True))

    def read():
        with transaction.atomic() if inside else nullcontext():
            if inside:
                AccessToken.objects.exists()  # the transaction has begun
            return [queries.token(digest) for digest in digests]

    by_libpq = read()
    monkeypatch.setattr(statements.prepared, "can_ask", lambda _: False)
    by_cursor = read()

    assert len(digests) == 2
    for one, other in zip(by_libpq, by_cursor, strict=True):
        for mine, its in (
            (one, other),
            (one.application, other.application),
            (one.application.organization, other.application.organization),
            (one.user, other.user),
        ):
            assert (mine is None) == (its is None)
            if mine is not None:
                assert set(vars(mine)) == set(vars(its))
                same(mine, its)
        assert (one.held, one.said) == (other.held, other.said)


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_the_first_statement_of_a_transaction_is_in_it(cast):
    """psycopg begins a transaction with its first statement, of which libpq alone would not know."""
    client, _secret = cast.client(("Employee", cast.home))

    with transaction.atomic():
        added(
            ClientAuthorization, organization=cast.acme, client=client, state=AuthorizationState.REQUESTED
        )
        transaction.set_rollback(True)

    assert not ClientAuthorization.objects.exists()
