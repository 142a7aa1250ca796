"""No page, no route and no step of housekeeping looks through a whole large table: the plan of every
statement that they send, in a database of a size at which the planner means it."""

from __future__ import annotations

import re
from contextlib import contextmanager

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from accounts.models import (
    AuditEvent,
    Division,
    ExternalIdentifier,
    Group,
    GroupMember,
    PhoneNumber,
    ProviderSession,
    ProviderSignIn,
    Role,
    RoleGrant,
    Skill,
    UsedAssertion,
    User,
)
from config.housekeeping import purge
from oauthclients.models import Client, ClientSecret, Consent, FamilyToken, TokenFamily
from oauthclients.services import usage
from tests import cast as standing_cast
from tests.cast import PASSWORD, App, token_request
from tests.tables import many_rows

LARGE = {
    model._meta.db_table
    for model in (
        AuditEvent,
        Client,
        ClientSecret,
        Consent,
        ExternalIdentifier,
        FamilyToken,
        GroupMember,
        PhoneNumber,
        ProviderSession,
        ProviderSignIn,
        RoleGrant,
        Skill,
        TokenFamily,
        UsedAssertion,
        User,
    )
} | {
    "django_session",
    "oauth2_provider_accesstoken",
    "oauth2_provider_grant",
    "oauth2_provider_refreshtoken",
    "oauthclients_usage",
    "oauthclients_usagequery",
    "oauthclients_usedaccess",
}
# What may be looked through from end to end, with the index where there is one, and why.
MEANT = {
    "oauthclients_client client_purging": "clients that wait for their deletion: few, in all organizations",
    # A sweep goes through these in their order, and each round looks at a bounded number.
    "accounts_providersession accounts_providersession_pkey": "PostgreSQL",
    "accounts_providersession sqlite_autoindex_accounts_providersession_1": "SQLite",
    "oauth2_provider_refreshtoken oauth2_provider_refreshtoken_pkey": "PostgreSQL",
    "oauth2_provider_refreshtoken": "SQLite",
}
# What still does so: `give_back` (services/giving_back.py) looks through all families of a client.
KNOWN: set[str] = set()
EXPLAINED = ("SELECT", "UPDATE", "DELETE", "WITH")


class Acme:
    """The cast, with what the requests name, and ways to send them."""

    def __init__(self) -> None:
        self.cast = cast = standing_cast.make()
        many_rows.fill(cast)
        clients, mine = Client.objects.filter(organization=cast.acme), {"organization": cast.acme}
        self.client = clients.filter(authorization_grant_type="client-credentials").first()
        self.app = clients.filter(authorization_grant_type="authorization-code").first()
        self.person = User.objects.filter(**mine, external_id="acme-7").get()
        self.group = Group.objects.filter(**mine).first()
        self.division = Division.objects.filter(**mine).first()
        self.role = Role.objects.get(**mine, default_role_id="supervisor")
        roles = [(role.name, None) for role in Role.objects.filter(**mine)]
        cast.give(cast.ada, *roles)
        made, self.secret = cast.client(*roles, name="Everything")
        self.asker = made
        self.value = cast.token(made, self.secret)
        self.bearer = {"Authorization": f"Bearer {self.value}"}
        self.for_ada = cast.acting_for(cast.ada, self.app, *many_rows.SCOPE)
        self.browser = Browser()
        assert (
            self.browser.post("/sign-in/", {"email": cast.ada.email, "password": PASSWORD}).status_code
            == 302
        )

    def named(self, path: str) -> str:
        return path.format(
            client=self.client.id,
            asker=self.asker.id,
            app=self.app.id,
            person=self.person.id,
            group=self.group.id,
            division=self.division.id,
            role=self.role.id,
            email=self.person.email,
        )


@pytest.fixture
def acme(db):
    made = Acme()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    return made


@contextmanager
def plans():
    """The statements that the block sends, each with its plan."""
    found: dict[str, list[str]] = {}
    with CaptureQueriesContext(connection) as captured:
        yield found
    for query in captured.captured_queries:
        sql = query["sql"]
        if sql.lstrip().upper().startswith(EXPLAINED) and "set_config" not in sql:
            found[sql] = _scans(sql)


def _scans(sql: str) -> list[str]:
    """The large tables that this statement looks through, or an index of theirs from end to end."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # For the first of many rows the planner may prefer to start reading anywhere.
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}")
            (plan,) = cursor.fetchone()
            cursor.execute("SET LOCAL enable_seqscan = on")
            return _of_postgresql(plan[0]["Plan"])
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        return _of_sqlite([detail for *_numbers, detail in cursor.fetchall()], sql)


def _of_postgresql(node: dict) -> list[str]:
    found = [name for child in node.get("Plans", ()) for name in _of_postgresql(child)]
    table, kind, index = node.get("Relation Name"), node["Node Type"], node.get("Index Name", "")
    whole = kind == "Seq Scan" or (kind.startswith("Index") and "Index Cond" not in node)
    return [*found, f"{table} {index}".strip()] if table in LARGE and whole else found


def _of_sqlite(details: list[str], sql: str) -> list[str]:
    tables = {alias: table for table, alias in re.findall(r'"(\w+)" "?([A-Z]+\d+)"?', sql)}
    found = []
    for detail in details:
        if match := re.match(r"SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?", detail):
            table = tables.get(match[1], match[1])
            if table in LARGE:
                found.append(f"{table} {match[2] or ''}".strip())
    return found


def unexpected(plans: dict[str, list[str]]) -> dict[str, list[str]]:
    return {sql: scans for sql, scans in plans.items() if set(scans) - MEANT.keys()}


# --- What people and programs ask ----------------------------------------------------------------

# A path with `{...}` names something of Acme's.
PAGES = (
    "/admin/",
    "/admin/integrations/oauth/",
    "/admin/integrations/oauth/?q=credentials&sort=-used&page=2",
    "/admin/integrations/oauth/?unused=1&mine=1&state=active",
    "/admin/integrations/oauth/?drift=1",
    "/admin/integrations/oauth/{asker}/",
    "/admin/integrations/oauth/{asker}/edit/",
    "/admin/integrations/oauth/{asker}/secret/",
    "/admin/integrations/oauth/{asker}/delete/",
    "/admin/integrations/oauth/{app}/",
    "/admin/integrations/oauth/{app}/?for=ada",
    "/admin/integrations/oauth/{asker}/refusals/",
    "/admin/integrations/why/?client={asker}&path=/api/v2/users",
    "/admin/integrations/why/?client={app}&person=ada&path=/api/v2/users",
    "/admin/integrations/oauth/{asker}/usage/?days=90",
    "/admin/integrations/oauth/{asker}/usage.csv?days=90",
    "/admin/access-review/",
    "/admin/access-review/?show=scopes&days=30",
    "/admin/access-review/?show=unused&days=60",
    "/admin/access-review/?show=drift",
    "/admin/access-review/?show=secrets",
    "/admin/access-review/access-review.csv",
    "/admin/integrations/authorized-applications/",
    "/admin/integrations/authorized-applications/{app}/",
    "/admin/integrations/authorized-applications/{app}/revoke/",
    "/admin/organization/settings/",
    "/admin/people/",
    "/admin/people/?q=person&sort=-seen&page=2",
    "/admin/people/?state=active&division={division}&role={role}",
    "/admin/people/?drift=1",
    "/admin/people/{person}/",
    "/admin/people/{person}/permissions/",
    "/admin/people/{person}/apps/",
    "/admin/people/{person}/activity/",
    "/admin/people/{person}/roles/",
    "/admin/people/{person}/edit/",
    "/admin/people/{person}/delete/",
    "/admin/roles/",
    "/admin/roles/{role}/",
    "/admin/divisions/",
    "/admin/divisions/{division}/move/",
    "/admin/divisions/{division}/delete/",
    "/admin/single-sign-on/",
    "/account/apps/",
    "/admin/audit/",
    "/admin/audit/?range=all",
    "/admin/audit/?range=all&below=2026-03-01T00:00:00%2B00:00~{person}",
    "/admin/audit/?range=all&who={person}&kind=client&q=x",
    "/admin/audit/?range=all&entity={client}",
    "/admin/audit/?range=all&action=client.edited",
    "/admin/audit/?range=all&kind=client&q=x",
    "/admin/audit/?range=all&q={person}",
    "/admin/audit/?range=all&request={person}",
    "/admin/audit/?range=30&name=person1@acme",
    "/admin/audit/lines.csv?range=all&action=client.edited",
)
ROUTES = (
    "/oauth/clients?pageSize=25&pageNumber=2",
    "/oauth/clients/{client}",
    "/oauth/clients/{client}/usage/summary",
    "/oauth/authorizations",
    "/oauth/authorizations/{app}",
    "/users?pageSize=25&pageNumber=2&sortOrder=desc",
    "/users?id={person}&expand=authorization,skills,groups",
    "/users/query?pageSize=25",
    "/users/{person}?expand=authorization,skills,languages,groups",
    "/users/{person}/externalid",
    "/users/externalid/hr/{person}",
    "/users/{person}/roles",
    "/tokens/me",
    "/authorization/divisions?pageSize=25",
    "/authorization/divisions/query",
    "/authorization/divisions/{division}/grants?pageSize=25",
    "/authorization/divisionspermitted/paged/me?permission=directory:user:view",
    "/authorization/divisionspermitted/paged/{person}?permission=directory:user:view",
    "/authorization/roles?userCount=true",
    "/authorization/roles/{role}",
    "/authorization/roles/{role}/users",
    "/authorization/roles/{role}/subjectgrants",
    "/authorization/subjects/me",
    "/authorization/subjects/{person}",
    "/authorization/subjects/rolecounts",
    "/groups?pageSize=5&pageNumber=2",
    "/groups/{group}",
    "/groups/{group}/members",
    "/groups/{group}/individuals",
    "/identityproviders",
    "/scim/v2/users?startIndex=11&count=10",
    '/scim/v2/users?filter=userName eq "{email}"',
    '/scim/v2/users?filter=externalId eq "acme-7"',
    '/scim/v2/users?filter=phoneNumbers.value eq "+15550000007"',
    '/scim/v2/users?filter=emails[type eq "work" and value eq "{email}"]',
    '/scim/v2/users?filter=displayName co "Person 7"',
    "/scim/v2/users/{person}",
    '/scim/v2/groups?filter=displayName eq "Group 7"',
    "/scim/v2/groups/{group}",
)
FOR_PEOPLE = ("/users/me", "/tokens/me", "/users?pageSize=25")


class Answers:
    """What each request or step sends, by its name."""

    def __init__(self) -> None:
        self.found: dict[str, dict[str, list[str]]] = {}
        self.statements = 0

    @contextmanager
    def to(self, name: str):
        with plans() as sent:
            yield
        self.statements += len(sent)
        self.found |= {name: bad} if (bad := unexpected(sent)) else {}


def test_no_statement_looks_through_a_large_table(acme):
    """One test, because filling the database takes most of its time."""
    answers = Answers()
    _pages(acme, answers)
    _routes(acme, answers)
    _use(acme, answers)
    _authorization_server(acme, answers)
    _housekeeping(acme, answers)

    assert {name: scans for name, scans in answers.found.items() if name not in KNOWN} == {}
    assert answers.statements > 400


def _pages(acme, answers):
    for path in PAGES:
        with answers.to(path):
            response = acme.browser.get(acme.named(path))
            b"".join(response)  # of what is read while it is sent
        assert response.status_code == 200, (path, response.status_code)


def _routes(acme, answers):
    asked = [(path, acme.bearer) for path in ROUTES] + [(path, acme.for_ada) for path in FOR_PEOPLE]
    for path, headers in asked:
        with answers.to(path):
            response = Browser().get("/api/v2" + acme.named(path), headers=headers)
        assert response.status_code == 200, (path, response.content)


def _use(acme, answers):
    interval = {"interval": "2026-01-01/2026-06-01", "granularity": "Week"}
    for path, more in (
        ("oauth/clients/{client}/usage/query", {"groupBy": ["TemplateUri"]}),
        ("usage/query", {"groupBy": ["OAuthClientId"]}),
        ("usage/simplesearch", {"oauthClientNames": ["authorization-code 1"], "httpMethods": ["GET"]}),
    ):
        with answers.to(path):
            put_down = Browser().post(
                f"/api/v2/{acme.named(path)}",
                {**interval, **more},
                content_type="application/json",
                headers=acme.bearer,
            )
            answer = Browser().get(put_down.json()["resultsUri"], headers=acme.bearer)
        assert answer.status_code == 200, (path, answer.content)
    with answers.to("notes of use"):
        usage.flush()


def _authorization_server(acme, answers):
    app = acme.cast.app(name="New app")
    with answers.to("token"):
        acme.cast.token(acme.asker, acme.secret)
    with answers.to("refused"):
        assert token_request(Browser(), acme.asker.client_id, "wrong").status_code == 401
    with answers.to("consent"):
        code = app.allowed(acme.browser)["code"]
    with answers.to("exchange"):
        token = app.exchange(code).json()
    with answers.to("refresh"):
        token = app.refresh(token["refresh_token"]).json()
    with answers.to("a code that is used again"):
        assert app.exchange(code).status_code == 400
    with answers.to("revocation"):
        response = app.post("/oauth/revoke", {"token": token["access_token"]}, app.secret)
        assert response.status_code == 200
    with answers.to("introspection"):
        asker = App(acme.asker, acme.secret, "")
        assert asker.post("/oauth/introspect", {"token": acme.value}, acme.secret).json()["active"]


def _housekeeping(acme, answers):
    with answers.to("purge"):
        removed = purge()
    assert not removed.failed
    assert removed.counts["tokens"] > many_rows.ORGANIZATIONS * many_rows.OWN_TOKENS / many_rows.EXPIRED
    assert all(
        removed.counts[name]
        for name in (
            "sign-ins of apps",
            "days of use",
            "refusals",
            "codes",
            "secrets",
            "assertions",
            "sessions",
            "sign-ins at providers",
            "questions about use",
        )
    )
