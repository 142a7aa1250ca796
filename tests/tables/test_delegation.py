"""Every way to hand on a right, against every pair that the caller cannot hand on: nothing is written.

The caller may open every door (it has all the permissions that the routes ask for, in all divisions) and
supervises East. What it hands on must be Supervisor in East; each path is also tried with that, so that none
is refused for another reason.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

import lxml.html
import pytest
from django.test import Client as Browser

from accounts import queries
from accounts.models import Role, RoleGrant, User
from accounts.permissions import policies_for
from tests.cast import PASSWORD, Cast
from tests.oauthclients.console import wizard as wizards
from tests.tables.test_routes import NOTHING

DOORS = (
    "authorization:grant:add",
    "authorization:grant:delete",
    "authorization:grant:view",
    "authorization:role:add",
    "authorization:role:edit",
    "authorization:role:view",
    "oauth:client:add",
    "oauth:client:edit",
    "oauth:client:view",
    "directory:user:add",
    "directory:user:edit",
    "directory:user:view",
    "directory:user:setPassword",
    "directory:user:delete",
)


class Caller:
    """Dora, her app with every scope, and a client of its own with the same pairs."""

    def __init__(self, cast: Cast, kind: str) -> None:
        self.cast, self.kind = cast, kind
        cast.custom_role("Every Door", *DOORS)
        self.dora = cast.person("Dora", cast.home)
        self.pairs = (("Every Door", None), ("Supervisor", cast.east))
        cast.give(self.dora, *self.pairs)
        self.target = cast.person("Target", cast.east)
        self.client, _secret = cast.client(*self.pairs, name="Target client")
        if kind == "client":
            self.headers = cast.bearer(*self.pairs, name="Caller")
        elif kind == "app":
            scopes = ("authorization", "oauth", "users", "scim")
            self.headers = cast.acting_for(self.dora, cast.app(*scopes).client, *scopes)
        else:
            self.browser = Browser(raise_request_exception=False)
            self.browser.post("/sign-in/", {"email": self.dora.email, "password": PASSWORD})

    def send(self, method: str, path: str, body: object = None):
        return Browser(raise_request_exception=False).generic(
            method,
            f"/api/v2/{path}",
            b"" if body is None else json.dumps(body).encode(),
            content_type="application/json",
            headers=self.headers,
        )

    def rights(self) -> object:
        """All that anybody holds, and all that any role allows."""
        return (
            set(RoleGrant.objects.values_list("subject_id", "role_id", "division_id")),
            {role.id: json.dumps(role.policies) for role in Role.objects.all()},
        )


@dataclass(frozen=True)
class Path:
    """`call` tries to hand on a pair. `home_only` paths name no division and mean Home."""

    name: str
    call: Callable[[Caller, str, str], object]
    home_only: bool = False

    def __str__(self) -> str:
        return self.name


def _grant(role: str, division: str) -> dict[str, str]:
    return {"roleId": role, "divisionId": division}


def _made(role: str, division: str) -> dict[str, object]:
    return {
        "name": "Made",
        "authorizedGrantType": "CLIENT-CREDENTIALS",
        "roleDivisions": [_grant(role, division)],
    }


def _edited(caller: Caller, role: str, division: str) -> dict[str, object]:
    """The target client as it is, with a pair more."""
    now = caller.send("GET", f"oauth/clients/{caller.client.id}").json()
    return {**now, "roleDivisions": [*now["roleDivisions"], _grant(role, division)]}


def _subject(verb: str, client: bool = False) -> Callable[[Caller, str, str], object]:
    def call(caller: Caller, role: str, division: str) -> object:
        if client:
            kept = [_grant(str(one.role_id), str(one.division_id or "*")) for one in _held(caller)]
        else:
            kept = []
        subject = caller.client.id if client else caller.target.id
        kind = "?subjectType=PC_OAUTH_CLIENT" if client else ""
        grants = [*(kept if verb == "bulkreplace" else []), _grant(role, division)]
        return caller.send("POST", f"authorization/subjects/{subject}/{verb}{kind}", {"grants": grants})

    return call


def _held(caller: Caller) -> list[RoleGrant]:
    return list(RoleGrant.objects.filter(subject_id=caller.client.id))


def _single(client: bool = False) -> Callable[[Caller, str, str], object]:
    def call(caller: Caller, role: str, division: str) -> object:
        subject = caller.client.id if client else caller.target.id
        kind = "?subjectType=PC_OAUTH_CLIENT" if client else ""
        return caller.send(
            "POST", f"authorization/subjects/{subject}/divisions/{division}/roles/{role}{kind}"
        )

    return call


API_PATHS = [
    Path("make a client", lambda c, r, d: c.send("POST", "oauth/clients", _made(r, d))),
    Path(
        "edit a client",
        lambda c, r, d: c.send("PUT", f"oauth/clients/{c.client.id}", _edited(c, r, d)),
    ),
    Path("add to a person", _subject("bulkadd")),
    Path("replace a person's", _subject("bulkreplace")),
    Path("add one to a person", _single()),
    Path("add to a client", _subject("bulkadd", client=True)),
    Path("replace a client's", _subject("bulkreplace", client=True)),
    Path("add one to a client", _single(client=True)),
    Path(
        "give a role to people in divisions",
        lambda c, r, d: c.send(
            "POST", f"authorization/roles/{r}", {"subjectIds": [str(c.target.id)], "divisionIds": [d]}
        ),
    ),
    Path(
        "give a role to clients in divisions",
        lambda c, r, d: c.send(
            "POST",
            f"authorization/roles/{r}?subjectType=PC_OAUTH_CLIENT",
            {"subjectIds": [str(c.client.id)], "divisionIds": [d]},
        ),
    ),
    Path(
        "add people to a role",
        lambda c, r, d: c.send("PUT", f"authorization/roles/{r}/users/add", [str(c.target.id)]),
        home_only=True,
    ),
    Path(
        "the roles of a person",
        lambda c, r, d: c.send("PUT", f"users/{c.target.id}/roles", [r]),
        home_only=True,
    ),
]


def _sent(browser: Browser, address: str, **changed: list[str]) -> object:
    """The form of a page, sent as it is shown but for these fields (which are added to what is ticked), and
    once more where the page asks for confirmation."""
    response = browser.get(address)
    assert response.status_code == 200, (address, response.status_code)
    for _asked in range(2):
        form = _form(response.content, address)
        fields: dict[str, list[str]] = {}
        for name, value in form.form_values():
            fields.setdefault(name, []).append(value)
        for name, values in changed.items():
            old = fields.get(name, [])
            fields[name] = (
                [*old, *values] if name in ("role", "permission") or "divisions" in name else values
            )
        if asked := re.search(rb'name="confirmed" value="([^"]+)"', response.content):
            fields["confirmed"] = [asked[1].decode()]
        response = browser.post(address, fields)
        if b'name="confirmed"' not in response.content:
            break
    return response


def _form(content: bytes, address: str) -> lxml.html.FormElement:
    """The page's own form: the one with most fields."""
    page = lxml.html.fromstring(content)
    return max(page.forms, key=lambda form: len(form.fields) if form.method == "POST" else 0)


def _wizard(caller: Caller, role: str, division: str) -> None:
    made = wizards.start(caller.browser)
    made.details(name="Made")
    made.post("access", {"role": [role], f"divisions-{role}": [division]})
    made.save()


def _edit_page(caller: Caller, role: str, division: str) -> None:
    address = f"/admin/integrations/oauth/{caller.client.id}/edit/"
    _sent(caller.browser, address, **{"role": [role], f"divisions-{role}": [division]})


def _roles_tab(caller: Caller, role: str, division: str) -> None:
    address = f"/admin/people/{caller.target.id}/roles/"
    _sent(caller.browser, address, **{"role": [role], f"divisions-{role}": [division]})


CONSOLE_PATHS = [
    Path("the wizard", _wizard),
    Path("the edit page of a client", _edit_page),
    Path("the roles tab of a person", _roles_tab),
]


def beyond(caller: Caller) -> dict[str, tuple[str, str]]:
    """What the caller cannot hand on, by why."""
    cast = caller.cast
    supervisor, east = str(cast.role("Supervisor").id), str(cast.east.id)
    return {
        "a role that is not held": (str(cast.role("Developer").id), east),
        "everything": (str(cast.role("Admin").id), east),
        "held in another division": (supervisor, str(cast.west.id)),
        "all divisions": (supervisor, "*"),
        "another organization's role": (str(cast.role("User", cast.globex).id), east),
        "another organization's division": (supervisor, str(queries.home_division(cast.globex).id)),
        "no role": (NOTHING, east),
        "no division": (supervisor, NOTHING),
        "not even IDs": ("Admin", "everywhere"),
    }


WHYS = [
    "a role that is not held",
    "everything",
    "held in another division",
    "all divisions",
    "another organization's role",
    "another organization's division",
    "no role",
    "no division",
    "not even IDs",
]
api_callers = pytest.mark.parametrize("kind", ["client", "app"])


@api_callers
@pytest.mark.parametrize("path", API_PATHS, ids=str)
def test_no_route_of_the_api_hands_on_what_its_caller_lacks(cast: Cast, path: Path, kind: str):
    caller = Caller(cast, kind)
    pairs = beyond(caller)
    assert list(pairs) == WHYS
    before = caller.rights()
    for why, (role, division) in pairs.items():
        if path.home_only and why in ("no division", "another organization's division", "all divisions"):
            continue
        response = path.call(caller, role, division)
        assert 400 <= response.status_code < 500, (why, response.content)
        assert caller.rights() == before, why


@api_callers
@pytest.mark.parametrize("path", API_PATHS, ids=str)
def test_every_route_of_the_api_hands_on_what_its_caller_holds(cast: Cast, path: Path, kind: str):
    caller = Caller(cast, kind)
    if path.home_only:
        cast.give(caller.dora, *caller.pairs, ("Supervisor", cast.home))
        if kind == "client":
            caller.headers = cast.bearer(*caller.pairs, ("Supervisor", cast.home), name="Caller 2")
    before = caller.rights()
    given = (str(cast.role("Supervisor").id), str(cast.east.id))
    if "client" in path.name and "make" not in path.name:  # it holds Supervisor in East already
        cast.give(caller.dora, *caller.pairs, ("Supervisor", cast.home))
        if kind == "client":
            caller.headers = cast.bearer(*caller.pairs, ("Supervisor", cast.home), name="Caller 2")
        given = (given[0], str(cast.home.id))
        before = caller.rights()
    response = path.call(caller, *given)
    assert response.status_code in (200, 204), response.content
    assert caller.rights() != before


@pytest.mark.parametrize("path", CONSOLE_PATHS, ids=str)
def test_no_page_hands_on_what_its_person_lacks(cast: Cast, path: Path):
    caller = Caller(cast, "person")
    before = caller.rights()
    for why, (role, division) in beyond(caller).items():
        path.call(caller, role, division)
        assert caller.rights() == before, why


@pytest.mark.parametrize("path", CONSOLE_PATHS, ids=str)
def test_every_page_hands_on_what_its_person_holds(cast: Cast, path: Path):
    caller = Caller(cast, "person")
    cast.give(caller.dora, *caller.pairs, ("Supervisor", cast.home))
    before = caller.rights()
    path.call(caller, str(cast.role("Supervisor").id), str(cast.home.id))
    assert caller.rights() != before


# --- Roles ---------------------------------------------------------------------------------------


def _policies(*permissions: str) -> list[dict[str, object]]:
    return policies_for(permissions)


@dataclass(frozen=True)
class Widening:
    """Tries to give a role, that Target holds in East and West, these permissions besides its own."""

    name: str
    call: Callable[[Caller, Role, list[dict[str, object]]], object]

    def __str__(self) -> str:
        return self.name


WIDENINGS = [
    Widening(
        "make a role",
        lambda c, _role, policies: c.send(
            "POST", "authorization/roles", {"name": "Made", "permissionPolicies": policies}
        ),
    ),
    Widening(
        "edit a role",
        lambda c, role, policies: c.send(
            "PUT", f"authorization/roles/{role.id}", {"name": role.name, "permissionPolicies": policies}
        ),
    ),
]


@api_callers
@pytest.mark.parametrize("path", WIDENINGS, ids=str)
def test_no_route_makes_a_role_wider_than_its_editor(cast: Cast, path: Widening, kind: str):
    caller = Caller(cast, kind)
    role = cast.custom_role("Narrow", "directory:userProfile:view")
    cast.give(caller.target, ("Narrow", cast.east), ("Narrow", cast.west))
    before = caller.rights()
    for policies in (
        _policies("oauth:client:authorize"),
        _policies("directory:user:view", "sso:provider:edit"),
        [{"domain": "oauth", "entityName": "client", "actionSet": ["*"]}],
        [
            {"domain": "directory", "entityName": "*", "actionSet": ["view"]},
            *_policies("mfa:verifier:view"),
        ],
        [{"domain": "*", "entityName": "*", "actionSet": ["*"]}],
    ):
        response = path.call(caller, role, policies)
        assert 400 <= response.status_code < 500, (policies, response.content)
        assert caller.rights() == before, policies
    # Held in East alone, where the role is held in West as well.
    if path.name == "edit a role":
        response = path.call(caller, role, _policies("routing:queue:edit"))
        assert response.status_code == 403, response.content
        assert caller.rights() == before
    response = path.call(caller, role, _policies("directory:user:view"))
    assert response.status_code == 200, response.content
    assert caller.rights() != before


@pytest.mark.parametrize("page", ["new/", "{role}/edit/", "{role}/copy/"])
def test_no_page_makes_a_role_wider_than_its_editor(cast: Cast, page: str):
    caller = Caller(cast, "person")
    role = cast.custom_role("Narrow", "directory:userProfile:view")
    cast.give(caller.target, ("Narrow", cast.east), ("Narrow", cast.west))
    cast.give(caller.dora, *caller.pairs, ("User", cast.home))
    address = f"/admin/roles/{page.format(role=role.id)}"
    name = {} if "edit" in page else {"name": ["Made"]}
    before = caller.rights()
    for permission in ("oauth:client:authorize", "sso:provider:edit", "*:*:*", "oauth:client:*"):
        _sent(caller.browser, address, permission=[permission], **name)
        assert caller.rights() == before, permission
    if "edit" in page:  # held in East alone, where the role is held in West as well
        _sent(caller.browser, address, permission=["routing:queue:edit"])
        assert caller.rights() == before
    _sent(caller.browser, address, permission=["directory:user:view"], **name)
    assert caller.rights() != before


@pytest.mark.parametrize("page", ["restore/", "{role}/restore/"])
def test_no_page_restores_a_role_to_more_than_its_editor_has(cast: Cast, page: str):
    caller = Caller(cast, "person")
    role = cast.role("Developer")
    Role.objects.filter(id=role.id).update(policies=[])
    before = caller.rights()
    address = f"/admin/roles/{page.format(role=role.id)}"
    _sent(caller.browser, address)
    for overwrite in ("yes", "on", "true", "1"):
        caller.browser.post(address, {"overwrite": overwrite, "force": overwrite})
    assert caller.rights() == before


@api_callers
@pytest.mark.parametrize(
    "restore",
    [
        lambda c, _role: c.send("POST", "authorization/roles/default?force=true"),
        lambda c, role: c.send("PUT", "authorization/roles/default", [{"id": str(role.id)}]),
    ],
    ids=["all", "one"],
)
def test_no_route_restores_a_role_to_more_than_its_editor_has(cast: Cast, restore, kind: str):
    caller = Caller(cast, kind)
    role = cast.role("Developer")
    Role.objects.filter(id=role.id).update(policies=[])
    before = caller.rights()
    assert restore(caller, role).status_code == 403
    assert caller.rights() == before


# --- SCIM, which names roles and gives them in the person's division -------------------------------

_USER = "urn:ietf:params:scim:schemas:core:2.0:User"
_ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
_PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


def _person(caller: Caller, role: str, division: str) -> dict[str, object]:
    return {
        "schemas": [_USER, _ENTERPRISE],
        "userName": caller.target.email,
        "displayName": caller.target.name,
        "roles": [{"value": role}],
        _ENTERPRISE: {"division": division},
    }


SCIM_PATHS = [
    (
        "make a person",
        lambda c, role, division: c.send(
            "POST", "scim/v2/users", {**_person(c, role, division), "userName": "made@acme.example"}
        ),
    ),
    (
        "replace a person",
        lambda c, role, division: c.send("PUT", f"scim/v2/users/{c.target.id}", _person(c, role, division)),
    ),
    (
        "patch a person",
        lambda c, role, division: c.send(
            "PATCH",
            f"scim/v2/users/{c.target.id}",
            {
                "schemas": [_PATCH],
                "Operations": [
                    {"op": "replace", "path": f"{_ENTERPRISE}:division", "value": division},
                    {"op": "add", "path": "roles", "value": [{"value": role}]},
                ],
            },
        ),
    ),
]


@api_callers
@pytest.mark.parametrize(
    "call", [call for _name, call in SCIM_PATHS], ids=[name for name, _call in SCIM_PATHS]
)
def test_scim_hands_on_nothing_that_its_caller_lacks(cast: Cast, call, kind: str):
    caller = Caller(cast, kind)
    before = caller.rights()
    people = User.objects.count()
    for role, division in (
        ("Developer", "East"),
        ("Admin", "East"),
        ("Supervisor", "West"),
        ("Supervisor", "Home"),
        ("No such role", "East"),
        ("Supervisor", "No such division"),
    ):
        response = call(caller, role, division)
        assert response.status_code in (400, 403), (role, division, response.content)
        assert response["Content-Type"] == "application/scim+json"
        assert caller.rights() == before, (role, division)
        assert User.objects.count() == people
        assert User.objects.get(id=caller.target.id).division == cast.east
    response = call(caller, "Supervisor", "East")
    assert response.status_code in (200, 201), response.content
    assert caller.rights() != before


# --- Becoming somebody ---------------------------------------------------------------------------


IDENTITIES = [
    (
        "set a password",
        lambda c, user: c.send(
            "POST", f"users/{user.id}/password", {"newPassword": "another long enough password"}
        ),
    ),
    (
        "change an email",
        lambda c, user: c.send(
            "PATCH", f"users/{user.id}", {"version": user.version, "email": "new@acme.example"}
        ),
    ),
    (
        "set a password by SCIM",
        lambda c, user: c.send(
            "PATCH",
            f"scim/v2/users/{user.id}",
            {
                "schemas": [_PATCH],
                "Operations": [
                    {"op": "replace", "path": "password", "value": "another long enough password"}
                ],
            },
        ),
    ),
    (
        "change a user name by SCIM",
        lambda c, user: c.send(
            "PUT",
            f"scim/v2/users/{user.id}",
            {"schemas": [_USER], "userName": "new@acme.example", "displayName": user.name},
        ),
    ),
]


@api_callers
@pytest.mark.parametrize("call", [call for _name, call in IDENTITIES], ids=[n for n, _call in IDENTITIES])
def test_no_route_makes_its_caller_somebody_who_may_more(cast: Cast, call, kind: str):
    caller = Caller(cast, kind)
    cast.give(caller.target, ("Supervisor", cast.west))
    for user in (cast.ada, caller.target):
        before = User.objects.get(id=user.id)
        response = call(caller, before)
        assert response.status_code == 403, response.content
        after = User.objects.get(id=user.id)
        assert (after.email, after.password) == (before.email, before.password)
    cast.give(caller.target, ("Supervisor", cast.east))
    response = call(caller, User.objects.get(id=caller.target.id))
    assert response.status_code in (200, 204), response.content
