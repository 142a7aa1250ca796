"""Every route of `/api/v2` against apps that act for a person: nothing is allowed that the person, the
organization's authorization and the token's scopes do not all allow, and each refusal says which it was.

The rows are those of test_routes.py, so a new route is here as well.
"""

from __future__ import annotations

import pytest

from accounts.actor import system
from accounts.models import Organization, User
from accounts.permissions import CATALOGUE
from accounts.services import people
from oauthclients import scopes
from oauthclients.models import Client, ClientAuthorization
from tests.cast import Cast
from tests.standing import standing
from tests.tables.test_routes import CALLED, Row, World, _rows, lacks, lacks_there, refused

every_row = pytest.mark.parametrize("row", CALLED, ids=str)
guarded_rows = pytest.mark.parametrize("row", [row for row in CALLED if row.permissions], ids=str)
divided_rows = pytest.mark.parametrize("row", [row for row in CALLED if row.divided], ids=str)
strict_rows = pytest.mark.parametrize("row", [row for row in CALLED if row.route != "tokens/me"], ids=str)


class Apps(World):
    """Dora of Acme, who holds exactly what a test gives her, and an app of Acme that acts for her."""

    def __init__(self, cast: Cast) -> None:
        super().__init__(cast)
        self.dora = cast.person("Dora", cast.home)
        self.app, _secret = cast.client(
            name="App",
            grant_type="authorization-code",
            redirect_uris=("https://a.example/",),
            scope=("users",),
        )

    def headers(
        self, row: Row | None, *permissions: str, scope: tuple[str, ...], division=None
    ) -> dict[str, str]:
        """The app acts for Dora, with these permissions and scopes; it asks for and was authorized for the
        same scopes."""
        pairs = [("Employee", self.cast.home)]
        if permissions:
            pairs.append((self.cast.custom_role("Doras", *permissions).name, division))
        self.cast.give(self.dora, *pairs)
        # Who makes, changes or reads the secret of a client with roles hands them on.
        if row and row.route.startswith("oauth/clients") and row.method in ("POST", "PUT"):
            scope = (*scope, "authorization")
        Client.objects.filter(id=self.app.id).update(scope=list(scope))
        self.word(state="Authorized", scope=list(scope))
        self.calling = self.dora.id
        return self.cast.acting_for(self.dora, self.app, *scope)

    def word(self, **values: object) -> None:
        ClientAuthorization.objects.filter(client=self.app).update(**values)


@standing
def world(cast: Cast) -> Apps:
    return Apps(cast)


@standing
def everything(world: Apps) -> dict[str, str]:
    """Headers of the app acting for Dora, with all permissions everywhere and all scopes."""
    return world.headers(None, *CATALOGUE, scope=tuple(scopes.CATALOGUE))


def success(row: Row) -> int:
    """Apps have the person whom client credentials lack."""
    return {"users/me": 200, "users/me/password": 204}.get(row.route, row.success)


def others(row: Row) -> tuple[str, ...]:
    """Every scope there is but those that this route names and what covers them."""
    covered = {scope.removesuffix(":readonly") for scope in row.scopes}
    return tuple(
        scope
        for scope in scopes.CATALOGUE
        if scope not in row.scopes and not (scope in covered and f"{scope}:readonly" in row.scopes)
    )


@pytest.mark.parametrize(
    ("row", "scope"), [(row, scope) for row in CALLED for scope in row.scopes], ids=str
)
def test_what_all_three_allow_is_allowed(world, row, scope):
    # What decides who may sign in as whom takes the scope about rights as well.
    also = ("authorization",) if row.trusted else ()
    needed = {*row.permissions, *row.enough}
    headers = world.headers(row, *needed, scope=(scope, *also), division=world.where(row))
    if row.trusted:
        world.nobody_may_more()
    response = world.call(row, headers)
    assert response.status_code == success(row), response.content
    assert b"globex" not in response.content.lower()


@strict_rows
@pytest.mark.parametrize("narrowed", ["token", "authorization", "client"])
def test_without_the_scope(world, everything, row, narrowed):
    """Everything else is allowed: all permissions everywhere, all other scopes, and all scopes in the other
    two of the three."""
    headers = everything
    if narrowed == "token":
        headers = world.cast.acting_for(world.dora, world.app, *others(row))
    elif narrowed == "authorization":
        world.word(scope=list(others(row)))
    else:
        Client.objects.filter(id=world.app.id).update(scope=list(others(row)))
    id = world.id_of(row.target) if row.target else None
    before = _rows()

    response = world.call(row, headers, id)

    body = refused(row, response, 403, "app.not.authorized.for.scope")
    if row.scim:
        assert ", ".join(row.scopes) in body["detail"]
    else:
        assert body["messageParams"] == {"scopes": ",".join(row.scopes)}
    assert response["WWW-Authenticate"] == (
        f'Bearer realm="Latchkey", error="insufficient_scope", scope="{" ".join(row.scopes)}"'
    )
    assert _rows() == before


@guarded_rows
def test_without_the_permission_whatever_the_scopes(world, row):
    headers = world.headers(row, *(CATALOGUE.keys() - set(row.permissions)), scope=tuple(scopes.CATALOGUE))
    refused(row, world.call(row, headers), 403, lacks(row))


@divided_rows
def test_in_the_wrong_division_whatever_the_scopes(world, row):
    aware = [permission for permission in row.permissions if CATALOGUE[permission].division_aware]
    headers = world.headers(row, *aware, scope=tuple(scopes.CATALOGUE), division=world.cast.west)
    refused(row, world.call(row, headers), 403, lacks_there(row))


@every_row
@pytest.mark.parametrize("state", ["Requested", "Revoked", "Unauthorized", None])
def test_where_the_organization_has_not_authorized_the_app(world, everything, row, state):
    if state is None:
        ClientAuthorization.objects.filter(client=world.app).delete()
    else:
        world.word(state=state)
    refused(row, world.call(row, everything), 403, "not.authorized")


@every_row
def test_where_the_organization_limits_the_app_to_a_role(world, everything, row):
    id = world.id_of(row.target) if row.target else None
    world.word(roles=[str(world.cast.role("Supervisor").id)])
    refused(row, world.call(row, everything, id), 403, "authz.policy.denied")
    world.word(roles=[str(world.cast.role("Doras").id)])
    assert world.call(row, everything, id).status_code == success(row)


@every_row
def test_where_scopes_are_not_enforced_the_person_alone_counts(world, row):
    needed = {*row.permissions, *row.enough}
    headers = world.headers(row, *needed, scope=("voicemail",), division=world.where(row))
    if row.trusted:
        world.nobody_may_more()
    Organization.objects.filter(id=world.cast.acme.id).update(enforce_scopes=False)
    id = world.id_of(row.target) if row.target else None
    world.word(state="Revoked")
    refused(row, world.call(row, headers, id), 403, "not.authorized")
    world.word(state="Requested")
    assert world.call(row, headers, id).status_code == success(row)


@guarded_rows
def test_and_the_person_who_may_not_may_not_by_an_app_either(world, row):
    headers = world.headers(row, scope=("voicemail",))
    Organization.objects.filter(id=world.cast.acme.id).update(enforce_scopes=False)
    refused(row, world.call(row, headers), 403, lacks(row))


@every_row
@pytest.mark.parametrize("death", ["person", "password", "organization", "client"])
def test_with_a_dead_token(world, everything, row, death):
    match death:
        case "person":
            User.objects.filter(id=world.dora.id).update(state="inactive")
        case "password":
            people.set_password(
                actor=system(world.cast.acme), user=world.dora, password="another long password"
            )
        case "organization":
            Organization.objects.filter(id=world.cast.acme.id).update(active=False)
        case "client":
            Client.objects.filter(id=world.app.id).update(state="disabled")
    refused(row, world.call(row, everything), 401, "bad.credentials")
