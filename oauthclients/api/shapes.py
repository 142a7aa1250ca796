"""Rows as JSON, with the keys of the wire contract. An absent value is left out: to the SDKs, `null` and
absent are the same."""

from __future__ import annotations

import uuid
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from accounts.actor import ActorType
from accounts.models import (
    Binding,
    Division,
    ExternalIdentifier,
    Group,
    IdentityProvider,
    Organization,
    Role,
    RoleGrant,
    Skill,
    User,
)
from accounts.permissions import expand
from accounts.saml import service_provider
from accounts.services.grants import NamedPair
from accounts.services.person_details import Phone
from oauthclients import grant_types, queries
from oauthclients.models import Client, ClientAuthorization
from oauthclients.scopes import Scope

BASE = "/api/v2"
# The vendor's words for what a `sloBinding` is; a `ssoBinding` is a URN.
BINDING_WORDS = {Binding.REDIRECT: "HTTP Redirect", Binding.POST: "HTTP Post"}
# "All divisions, now and later", wherever an id of a division stands (wire contract D1).
ALL_DIVISIONS = "*"


def date(value: datetime | None) -> str | None:
    """`2026-11-20T10:00:00.000Z`"""
    if value is None:
        return None
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _present(shape: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in shape.items() if value is not None}


def _who(kind: str, id: uuid.UUID | None, name: str) -> dict[str, Any]:
    """Who made or changed something. The installation itself has a name and no id."""
    if id is None:
        return {"name": name}
    return {**who_by_id(kind, id), "name": name}


def who_by_id(kind: str, id: uuid.UUID) -> dict[str, Any]:
    """A person or a client, by no more than the id."""
    path = "oauth/clients" if kind == ActorType.CLIENT else "users"
    return {"id": str(id), "selfUri": f"{BASE}/{path}/{id}"}


# --- OAuth clients (C2, C5) ----------------------------------------------------------------------


def client(
    row: Client,
    pairs: Iterable[NamedPair],
    secret: str | None = None,
    *,
    drifted: Iterable[NamedPair] = (),
    notices: Iterable[str] = (),
) -> dict[str, Any]:
    """`secret` is given by the two answers that show it, create and rotate. `drifted` are those of the
    pairs that their giver could not give any more (accounts/drift.py), and `notices` what else a change
    has changed; both are there only where there are any."""
    pairs = list(pairs)
    return _present(
        {
            "id": str(row.id),
            "name": row.name,
            "description": row.description,
            "authorizedGrantType": grant_types.BY_CODE[row.authorization_grant_type].wire,
            "accessTokenValiditySeconds": row.token_seconds,
            "registeredRedirectUri": row.redirect_uri_list,
            "scope": list(row.scope),
            "roleDivisions": [role_division(named) for named in pairs],
            "roleIds": list(dict.fromkeys(str(named.role.id) for named in pairs)),
            "driftedRoleDivisions": [role_division(named) for named in drifted] or None,
            "state": row.state,
            "dateToDelete": date(row.date_to_delete),
            "secret": secret,
            "dateCreated": date(row.created),
            "dateModified": date(row.updated),
            "createdBy": _who(row.created_by_type, row.created_by_id, row.created_by_name),
            "modifiedBy": _who(row.modified_by_type, row.modified_by_id, row.modified_by_name),
            "notices": list(notices) or None,
            "selfUri": f"{BASE}/oauth/clients/{row.id}",
        }
    )


def role_division(named: NamedPair) -> dict[str, str]:
    return {
        "roleId": str(named.role.id),
        "divisionId": str(named.division.id) if named.division else ALL_DIVISIONS,
    }


def token_client(row: Client, pairs: Iterable[NamedPair], *, own: bool) -> dict[str, Any]:
    """The client inside TokenInfo (E4). Of another organization's client (not `own`), nothing about the
    people there."""
    keys = ["id", "name", "authorizedGrantType", "scope", "state"]
    if own:
        keys += ["roleDivisions", "dateCreated", "dateModified", "createdBy", "modifiedBy", "dateToDelete"]
    whole = client(row, pairs)
    return {
        **{key: whole[key] for key in keys if key in whole},
        "organization": organization_name(row.organization),
    }


def scope(row: Scope) -> dict[str, Any]:
    return {"id": row.name, "description": row.sentence, "selfUri": f"{BASE}/oauth/scopes/{row.name}"}


def authorization(row: ClientAuthorization) -> dict[str, Any]:
    """`roles` are the ids of the roles to whose holders the app is limited, none for everybody. `pending`:
    somebody waits for an answer, a first one or about more. Of another organization's client, only what
    its people see when they are asked to agree is told."""
    own = row.client.organization_id == row.organization_id
    whole = client(row.client, ())
    shown = {"id", "name", "description", "authorizedGrantType", "registeredRedirectUri", "scope", "state"}
    return {
        "client": whole if own else {key: value for key, value in whole.items() if key in shown},
        "scope": list(row.scope),
        "roles": list(row.roles),
        "resourceOwner": organization_name(row.organization),
        "dateCreated": date(row.created_at),
        "dateModified": date(row.modified_at),
        "createdBy": _who(ActorType.USER, row.created_by_id, row.created_by_name),
        "modifiedBy": _who(ActorType.USER, row.modified_by_id, row.modified_by_name),
        "pending": queries.waits(row),
        "state": row.state,
        "selfUri": f"{BASE}/oauth/authorizations/{row.client_id}",
    }


# --- Identity providers (I) ----------------------------------------------------------------------


def provider(row: IdentityProvider) -> dict[str, Any]:
    """A certificate is its DER in base64, without the lines around. `certificate` is there for a single one
    only: the vendor's Terraform provider looks at no other where it finds it. `entityId` and `acsUrl` are
    what the provider has to be told about us."""
    certificates = [_without_lines(pem) for pem in row.certificates]
    return _present(
        {
            "id": str(row.id),
            "name": row.name,
            "disabled": not row.enabled,
            "issuerURI": row.issuer,
            "ssoTargetURI": row.target_url,
            "ssoBinding": row.target_binding,
            "sloURI": row.logout_url or None,
            "sloBinding": BINDING_WORDS[Binding(row.logout_binding)] if row.logout_url else None,
            "relyingPartyIdentifier": row.relying_party_identifier or None,
            "audience": row.audience or None,
            "certificate": certificates[0] if len(certificates) == 1 else None,
            "certificates": certificates,
            "nameIdentifierFormat": row.name_id_format,
            "emailAttribute": row.email_attribute,
            "signAuthnRequests": row.sign_requests,
            "forceAuthn": row.force_authn,
            "displayOnLogin": row.show_on_sign_in,
            "acceptForBearerGrant": row.accept_bearer,
            "metadataURL": row.metadata_url or None,
            "entityId": service_provider.entity_id(row),
            "acsUrl": service_provider.acs_url(),
            "version": row.version,
            "selfUri": f"{BASE}/identityproviders/{row.slot or row.id}",
        }
    )


def _without_lines(pem: str) -> str:
    return "".join(line for line in pem.splitlines() if not line.startswith("-----"))


def password_sign_in(row: Organization) -> dict[str, Any]:
    """`passwordKeeper` is who goes on signing in with a password where nobody else does."""
    keeper = row.password_keeper_id if row.only_sso else None
    return _present(
        {
            "id": "purecloud",
            "name": "Latchkey",
            "disabled": row.only_sso,
            "passwordKeeper": {"id": str(keeper), "selfUri": f"{BASE}/users/{keeper}"} if keeper else None,
            "selfUri": f"{BASE}/identityproviders/purecloud",
        }
    )


# --- Organization and people (E3 to E5) ----------------------------------------------------------


def organization_name(row: Organization) -> dict[str, Any]:
    return {"id": str(row.id), "name": row.name}


def organization(row: Organization) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "name": row.name,
        "defaultLanguage": row.language,
        "defaultCountryCode": row.country_code,
        "thirdPartyOrgName": row.short_name,
        "domain": row.short_name,
        "features": organization_features(row),
        "version": row.version,
        "state": "active" if row.active else "inactive",
        "selfUri": f"{BASE}/organizations/me",
    }


def organization_features(row: Organization) -> dict[str, bool]:
    """Of the vendor's features, the one that there is here."""
    return {"hipaa": row.hipaa}


def user(row: User, contacts: Contacts | None = None) -> dict[str, Any]:
    """Without `contacts`, what `user-basic-info` tells: who somebody is, and not how else to reach them."""
    told = contacts or Contacts()
    return _present(
        {
            "id": str(row.id),
            "name": row.name,
            "division": division_name(row.division),
            "department": row.department or None,
            "email": row.email,
            "primaryContactInfo": [
                {"address": row.email, "mediaType": "EMAIL", "type": "PRIMARY"},
                *(_phone(phone) for phone in told.phones if phone.primary),
            ],
            "addresses": [
                *(_phone(phone) for phone in told.phones if phone.kind in API_PHONE_KINDS),
                *(
                    {"address": address, "mediaType": "EMAIL", "type": "OTHER"}
                    for address in [told.other_email]
                    if address
                ),
            ],
            "state": row.state,
            "title": row.title or None,
            "manager": user_id(row.manager_id) if contacts and row.manager_id else None,
            "username": row.email,
            "images": [],
            "version": row.version,
            "acdAutoAnswer": False,
            "selfUri": f"{BASE}/users/{row.id}",
        }
    )


@dataclass(frozen=True)
class Contacts:
    """How else to reach somebody."""

    phones: Sequence[Phone] = ()
    other_email: str = ""


# Those that the vendor has; it knows no fax and no pager.
API_PHONE_KINDS = ("work", "work2", "work3", "work4", "mobile", "home", "main", "other")


def _phone(one: Phone) -> dict[str, Any]:
    return {
        "address": one.value,
        "display": one.value,
        "mediaType": "PHONE",
        "type": one.kind.upper() if one.kind in API_PHONE_KINDS else "OTHER",
    }


def user_id(id: uuid.UUID) -> dict[str, Any]:
    return {"id": str(id), "selfUri": f"{BASE}/users/{id}"}


def user_state(row: User) -> dict[str, Any]:
    return {"state": row.state, "version": row.version}


def employer_info(row: User) -> dict[str, Any] | None:
    """None where nothing is known."""
    known = _present(
        {
            "employeeId": row.employee_number or None,
            "dateHire": row.hired_on.isoformat() if row.hired_on else None,
        }
    )
    return {"officialName": row.name, **known} if known else None


def external_id(row: ExternalIdentifier) -> dict[str, Any]:
    authority, key = quote(row.authority, safe=""), quote(row.value, safe="")
    return {
        "authorityName": row.authority,
        "externalKey": row.value,
        "selfUri": f"{BASE}/users/externalid/{authority}/{key}",
    }


def skill(row: Skill) -> dict[str, Any]:
    """`UserRoutingSkill` and `UserRoutingLanguage`. They have no ids here; their names tell them apart."""
    return {"name": row.name, "proficiency": row.proficiency, "state": "active"}


def group_name(row: Group) -> dict[str, Any]:
    return {"id": str(row.id), "name": row.name, "selfUri": f"{BASE}/groups/{row.id}"}


def group(row: Group, members: int) -> dict[str, Any]:
    """The vendor's `Group`, whose settings are what they are here: no roles, no calls, no owners."""
    return _present(
        {
            **group_name(row),
            "description": row.description or None,
            "dateModified": date(row.modified_at),
            "memberCount": members,
            "state": "active",
            "version": row.version,
            "type": "official",
            "visibility": "public",
            "rulesVisible": False,
            "rolesEnabled": False,
            "includeOwners": False,
            "callsEnabled": False,
            "images": [],
            "addresses": [],
            "owners": [],
        }
    )


def user_authorization(grants: Sequence[RoleGrant]) -> dict[str, Any]:
    """`UserAuthorization` (D5): everything a person holds, wherever they hold it."""
    roles = list({grant.role_id: grant.role for grant in grants}.values())
    return {
        "roles": [{"id": str(role.id), "name": role.name} for role in roles],
        "unusedRoles": [],
        "permissions": sorted(frozenset().union(*(expand(role.policies) for role in roles))),
        "permissionPolicies": [policy(one) for role in roles for one in role.policies],
    }


# --- Authorization (D3 to D6) --------------------------------------------------------------------


def division_name(row: Division) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "name": row.name,
        "selfUri": f"{BASE}/authorization/divisions/{row.id}",
    }


def division(row: Division, counts: Mapping[str, int] | None = None) -> dict[str, Any]:
    """`counts` only where they were asked for."""
    return _present(
        {
            **division_name(row),
            "description": row.description,
            "homeDivision": row.home,
            "objectCounts": counts,
        }
    )


def role(row: Role, user_count: int | None = None, notices: Iterable[str] = ()) -> dict[str, Any]:
    """`notices` is what else a change has changed, and there only where there is anything."""
    return _present(
        {
            "id": str(row.id),
            "name": row.name,
            "description": row.description,
            "defaultRoleId": row.default_role_id or None,
            "permissions": [],  # one-word permissions of old; there are none here
            "unusedPermissions": [],
            "permissionPolicies": [policy(one) for one in row.policies],
            "userCount": user_count,
            "roleNeedsUpdate": False,
            "default": bool(row.default_role_id),
            "base": row.default_role_id == "employee",
            "notices": list(notices) or None,
            "selfUri": f"{BASE}/authorization/roles/{row.id}",
        }
    )


def policy(one: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "domain": one["domain"],
        "entityName": one["entityName"],
        "actionSet": list(one["actionSet"]),
        "namedResources": [],
        "allowConditions": False,
    }


def grant(row: RoleGrant, *, drifted: bool = False) -> dict[str, Any]:
    """`AuthzGrant`, whose policies have `actions` where a role's have `actionSet`. Two keys are our own:
    `grantedBy`, nobody for what the installation itself gave, and `drifted` where it is so
    (accounts/drift.py)."""
    shape = {
        "subjectId": str(row.subject_id),
        "division": division(row.division)
        if row.division
        else {"id": ALL_DIVISIONS, "name": ALL_DIVISIONS, "homeDivision": False},
        "role": {
            "id": str(row.role.id),
            "name": row.role.name,
            "description": row.role.description,
            "policies": [
                {
                    "domain": one["domain"],
                    "entityName": one["entityName"],
                    "actions": list(one["actionSet"]),
                }
                for one in row.role.policies
            ],
            "default": bool(row.role.default_role_id),
            "selfUri": f"{BASE}/authorization/roles/{row.role.id}",
        },
        "grantMadeAt": date(row.granted_at),
        "grantedBy": who_by_id(row.granted_by_type, row.granted_by_id) if row.granted_by_id else None,
        "drifted": drifted or None,
    }
    return _present(shape)


def subject(
    id: uuid.UUID,
    name: str,
    version: int,
    grants: Iterable[RoleGrant],
    drifted: Container[RoleGrant] = (),
) -> dict[str, Any]:
    return {
        "id": str(id),
        "name": name,
        "grants": [grant(row, drifted=row in drifted) for row in grants],
        "version": version,
        "selfUri": f"{BASE}/authorization/subjects/{id}",
    }


def holder(id: uuid.UUID, name: str, kind: str, divisions: Iterable[Division | None]) -> dict[str, Any]:
    """`SubjectDivisionGrants`: where somebody holds a role."""
    return {
        "id": str(id),
        "name": name,
        "divisions": [
            division_name(row) if row else {"id": ALL_DIVISIONS, "name": ALL_DIVISIONS} for row in divisions
        ],
        "type": kind,
        "selfUri": f"{BASE}/authorization/subjects/{id}",
    }
