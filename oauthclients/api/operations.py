"""Which operation of the API takes and answers which component, and with which errors of its own it may be
refused. One that is not here has no place in the document, and fails the test of it.
"""

from __future__ import annotations

from collections.abc import Mapping

from accounts.rules.provider_spec import SLOTS
from oauthclients.api.components import EMPTY, TEXTS, WHOLE, Schema, many, ref

# By the names of the operations. None: 204, without a body.
ANSWERS: Mapping[str, Schema | None] = {
    "getOauthClients": ref("OAuthClientListing"),
    **dict.fromkeys(
        ("postOauthClients", "getOauthClient", "putOauthClient", "postOauthClientSecret"),
        ref("OAuthClient"),
    ),
    "deleteOauthClient": None,
    "postLatchkeyExplain": ref("Explanation"),
    "postAuditsQueryRealtime": ref("AuditAnswer"),
    "getAuditsQueryRealtimeServicemapping": ref("AuditServiceMapping"),
    "getOauthScopes": ref("OAuthScopeListing"),
    "getOauthScope": ref("OAuthScope"),
    "getOauthAuthorizations": ref("OAuthAuthorizationListing"),
    "getOauthAuthorization": ref("OAuthAuthorization"),
    **dict.fromkeys(
        (
            "postOauthClientUsageQuery",
            "getOauthClientUsageSummary",
            "postUsageQuery",
            "postUsageSimplesearch",
        ),
        ref("UsageExecution"),
    ),
    **dict.fromkeys(
        (
            "getOauthClientUsageQueryResult",
            "getUsageQueryExecutionIdResults",
            "getUsageSimplesearchExecutionIdResults",
        ),
        ref("UsageAnswer"),
    ),
    "getUsers": ref("UserListing"),
    "getUsersQuery": ref("UserCursorListing"),
    **dict.fromkeys(("getUsersSearch", "postUsersSearch"), ref("UserSearchAnswer")),
    **dict.fromkeys(
        ("postUsers", "getUser", "patchUser", "getUsersExternalidAuthorityNameExternalKey"), ref("User")
    ),
    "getUsersMe": ref("UserMe"),
    "deleteUser": EMPTY,
    **dict.fromkeys(("postUsersMePassword", "postUserPassword", "postUserInvite")),
    **dict.fromkeys(("getUserExternalid", "postUserExternalid"), many(ref("ExternalId"))),
    "deleteUserExternalidAuthorityNameExternalKey": None,
    **dict.fromkeys(("getUserState", "putUserState"), ref("UserState")),
    **dict.fromkeys(("getUserRoles", "putUserRoles"), ref("UserAuthorization")),
    "getGroups": ref("GroupListing"),
    **dict.fromkeys(("postGroups", "getGroup", "putGroup"), ref("Group")),
    "deleteGroup": None,
    "getGroupIndividuals": ref("UserListing"),
    "getGroupMembers": ref("UserListing"),
    **dict.fromkeys(("postGroupMembers", "deleteGroupMembers"), EMPTY),
    "getTokensMe": ref("TokenInfo"),
    "deleteTokensMe": EMPTY,
    **dict.fromkeys(("getTokensTimeout", "putTokensTimeout"), ref("IdleTokenTimeout")),
    "deleteToken": None,
    **dict.fromkeys(
        ("getOrganizationsAuthenticationSettings", "patchOrganizationsAuthenticationSettings"),
        ref("AuthenticationSettings"),
    ),
    "patchOrganizationsFeature": ref("OrganizationFeatures"),
    **dict.fromkeys(("getOrganizationsMe", "putOrganizationsMe"), ref("Organization")),
    "getAuthorizationDivisions": ref("DivisionListing"),
    "getAuthorizationDivisionsDeleted": ref("DivisionListing"),
    "getAuthorizationDivisionsQuery": ref("DivisionCursorListing"),
    **dict.fromkeys(
        (
            "postAuthorizationDivisions",
            "getAuthorizationDivision",
            "putAuthorizationDivision",
            "getAuthorizationDivisionsHome",
            "postAuthorizationDivisionRestore",
        ),
        ref("Division"),
    ),
    "getAuthorizationDivisionsLimit": WHOLE,
    **dict.fromkeys(("deleteAuthorizationDivision", "postAuthorizationDivisionObject")),
    "getAuthorizationDivisionGrants": ref("GrantListing"),
    "getAuthorizationDivisionspermittedMe": many(ref("Division")),
    **dict.fromkeys(
        ("getAuthorizationDivisionspermittedPagedMe", "getAuthorizationDivisionspermittedPagedSubjectId"),
        ref("PermittedDivisionListing"),
    ),
    "getAuthorizationPermissions": ref("PermissionListing"),
    **dict.fromkeys(
        ("getAuthorizationRoles", "postAuthorizationRolesDefault", "putAuthorizationRolesDefault"),
        ref("RoleListing"),
    ),
    **dict.fromkeys(
        (
            "getAuthorizationRole",
            "postAuthorizationRoles",
            "putAuthorizationRole",
            "patchAuthorizationRole",
        ),
        ref("Role"),
    ),
    **dict.fromkeys(("postAuthorizationRole", "deleteAuthorizationRole")),
    **dict.fromkeys(
        ("getAuthorizationRoleComparedefaultRightRoleId", "postAuthorizationRoleComparedefaultRightRoleId"),
        ref("RoleComparison"),
    ),
    "getAuthorizationRoleSubjectgrants": ref("RoleHolderListing"),
    "getAuthorizationRoleUsers": ref("UserIdListing"),
    **dict.fromkeys(("putAuthorizationRoleUsersAdd", "putAuthorizationRoleUsersRemove"), TEXTS),
    **dict.fromkeys(("getAuthorizationSubjectsMe", "getAuthorizationSubject"), ref("Subject")),
    "getAuthorizationSubjectsRolecounts": ref("RoleCounts"),
    **dict.fromkeys(
        (
            "postAuthorizationSubjectBulkadd",
            "postAuthorizationSubjectBulkremove",
            "postAuthorizationSubjectBulkreplace",
            "postAuthorizationSubjectDivisionRole",
            "deleteAuthorizationSubjectDivisionRole",
        )
    ),
    "getIdentityproviders": ref("IdentityProviderListing"),
    **dict.fromkeys(
        ("postIdentityproviders", "getIdentityprovider", "putIdentityprovider"), ref("IdentityProvider")
    ),
    "deleteIdentityprovider": None,
    **{
        f"{method}Identityproviders{slot.capitalize()}": answer
        for slot in SLOTS
        for method, answer in (
            ("get", ref("IdentityProvider")),
            ("put", ref("IdentityProvider")),
            ("delete", EMPTY),
        )
    },
    **dict.fromkeys(
        ("getIdentityprovidersPurecloud", "putIdentityprovidersPurecloud"), ref("PasswordSignIn")
    ),
    "deleteIdentityprovidersPurecloud": EMPTY,
    **{
        f"{method}Scim{version}{name}": ref(answer) if answer else None
        for version in ("", "V2")
        for name, methods, answer in (
            ("Users", "get", "ScimUserListing"),
            ("Users", "post", "ScimUser"),
            ("User", "get put patch", "ScimUser"),
            ("User", "delete", ""),
            ("Groups", "get", "ScimGroupListing"),
            ("Group", "get put patch", "ScimGroup"),
            ("Schemas", "get", "ScimSchemaListing"),
            ("Schema", "get", "ScimSchema"),
            ("Resourcetypes", "get", "ScimResourceTypeListing"),
            ("Resourcetype", "get", "ScimResourceType"),
            ("Serviceproviderconfig", "get", "ScimServiceProviderConfig"),
        )
        for method in methods.split()
    },
}
# And one or the other: a new person, or one who is back.
CREATED = frozenset({"postScimUsers", "postScimV2Users"})

# What they take. None: no body, or one that is not read.
BODIES: Mapping[str, Schema | None] = {
    **dict.fromkeys(("postOauthClients", "putOauthClient"), ref("OAuthClientRequest")),
    "postOauthClientSecret": None,
    "postLatchkeyExplain": ref("ExplainRequest"),
    "postAuditsQueryRealtime": ref("AuditQuery"),
    **dict.fromkeys(("postOauthClientUsageQuery", "postUsageQuery"), ref("UsageRequest")),
    "postUsageSimplesearch": ref("UsageSearchRequest"),
    **dict.fromkeys(("postUsers", "patchUser"), ref("UserRequest")),
    "postUsersSearch": ref("UserSearchRequest"),
    "postUsersMePassword": ref("OwnPassword"),
    "postUserPassword": ref("NewPassword"),
    "postUserInvite": None,
    "postUserExternalid": ref("ExternalId"),
    "putUserState": ref("UserState"),
    "putUserRoles": TEXTS,
    **dict.fromkeys(("postGroups", "putGroup"), ref("GroupRequest")),
    "postGroupMembers": ref("GroupMembersRequest"),
    "putTokensTimeout": ref("IdleTokenTimeout"),
    "patchOrganizationsAuthenticationSettings": ref("AuthenticationSettings"),
    "patchOrganizationsFeature": ref("FeatureRequest"),
    "putOrganizationsMe": ref("OrganizationRequest"),
    **dict.fromkeys(
        ("postAuthorizationDivisions", "putAuthorizationDivision", "postAuthorizationDivisionRestore"),
        ref("DivisionRequest"),
    ),
    "postAuthorizationDivisionObject": TEXTS,
    **dict.fromkeys(
        (
            "postAuthorizationRoles",
            "putAuthorizationRole",
            "postAuthorizationRoleComparedefaultRightRoleId",
        ),
        ref("RoleRequest"),
    ),
    "patchAuthorizationRole": ref("RolePatch"),
    "postAuthorizationRole": ref("SubjectsRequest"),
    "postAuthorizationRolesDefault": None,
    "putAuthorizationRolesDefault": many(ref("RoleRequest")),
    **dict.fromkeys(("putAuthorizationRoleUsersAdd", "putAuthorizationRoleUsersRemove"), TEXTS),
    **dict.fromkeys(
        (
            "postAuthorizationSubjectBulkadd",
            "postAuthorizationSubjectBulkremove",
            "postAuthorizationSubjectBulkreplace",
        ),
        ref("GrantsRequest"),
    ),
    "postAuthorizationSubjectDivisionRole": None,
    **dict.fromkeys(
        (
            "postIdentityproviders",
            "putIdentityprovider",
            *(f"putIdentityproviders{slot.capitalize()}" for slot in SLOTS),
        ),
        ref("IdentityProviderRequest"),
    ),
    "putIdentityprovidersPurecloud": ref("PasswordSignInRequest"),
    **{
        f"{method}Scim{version}{name}": ref(body)
        for version in ("", "V2")
        for method, name, body in (
            ("post", "Users", "ScimUser"),
            ("put", "User", "ScimUser"),
            ("patch", "User", "ScimPatch"),
            ("put", "Group", "ScimGroup"),
            ("patch", "Group", "ScimPatch"),
        )
    },
}

_GIVES_ROLES = (
    "bad.client.role",
    "bad.role.divisions",
    "invalid.subject.type",
    "max.role.assignments.exceeded",
)
_CLIENT = (
    "bad.client.role",
    "bad.client.state",
    "bad.grant.type",
    "bad.role.divisions",
    "auth.invalid.scope",
    "constraint.validation",
    "grant.type.required",
    "max.role.assignments.exceeded",
    "missing.client.roles",
    "missing.client.scope",
)
_Codes = Mapping[int, tuple[str, ...]]
_DIVISION: _Codes = {400: ("division.name.invalid", "max.length.exceeded", "max.scopes.exceeded")}
_VALUE: _Codes = {400: ("invalid.value",)}
_PERMITTED: _Codes = {400: ("missing.permission.param",)}
_USAGE: _Codes = {400: ("response.entity.too.large",), 404: ("not.found",)}
_ROLE: _Codes = {400: ("general.bad.request",)}
_GRANTS: _Codes = {400: _GIVES_ROLES}


# Codes that are an operation's own, by status, beside those that follow from what it is (schema.py).
CODES: Mapping[str, _Codes] = {
    "postOauthClients": {400: (*_CLIENT, "auth.too.many.clients", "resource.already.exists")},
    "putOauthClient": {400: (*_CLIENT, "resource.already.exists")},
    "deleteOauthClient": {400: ("cannot.delete.client",)},
    # About a client, a person or a division, none of which may be there, or be the caller's to see.
    "postLatchkeyExplain": {
        400: ("invalid.value",),
        403: ("missing.division.permission",),
        404: ("client.not.found",),
    },
    **dict.fromkeys(
        (
            "getOauthClientUsageQueryResult",
            "getUsageQueryExecutionIdResults",
            "getUsageSimplesearchExecutionIdResults",
        ),
        _USAGE,
    ),
    **dict.fromkeys(("deleteGroupMembers", "deleteIdentityprovidersPurecloud"), _VALUE),
    "putTokensTimeout": {400: ("token.timeout.exceeded", "token.timeout.exceeded.hipaa")},
    "postUserInvite": {503: ("service.unavailable",)},
    "putUserRoles": _GRANTS,
    "postAuthorizationDivisions": _DIVISION,
    **dict.fromkeys(
        ("putAuthorizationDivision", "postAuthorizationDivisionRestore"),
        _DIVISION,
    ),
    "deleteAuthorizationDivision": {
        403: ("missing.division.permission",),
        409: ("precondition.failure",),
    },
    "postAuthorizationDivisionObject": {403: ("missing.division.permission",)},
    "getAuthorizationDivisionsQuery": {400: ("both.after.and.before.provided",)},
    **dict.fromkeys(
        (
            "getAuthorizationDivisionspermittedMe",
            "getAuthorizationDivisionspermittedPagedMe",
        ),
        _PERMITTED,
    ),
    "getAuthorizationDivisionspermittedPagedSubjectId": {
        **_PERMITTED,
        403: ("missing.any.permissions", "missing.division.permission"),
    },
    "getAuthorizationRoles": {400: ("max.role.ids",)},
    "postAuthorizationRoles": {400: ("general.bad.request", "max.roles.exceeded")},
    **dict.fromkeys(
        (
            "putAuthorizationRole",
            "putAuthorizationRolesDefault",
            "postAuthorizationRoleComparedefaultRightRoleId",
        ),
        _ROLE,
    ),
    **dict.fromkeys(
        (
            "postAuthorizationRole",
            "putAuthorizationRoleUsersAdd",
            "putAuthorizationRoleUsersRemove",
            "postAuthorizationSubjectBulkadd",
            "postAuthorizationSubjectBulkremove",
            "postAuthorizationSubjectDivisionRole",
            "deleteAuthorizationSubjectDivisionRole",
        ),
        _GRANTS,
    ),
    "postAuthorizationSubjectBulkreplace": {400: (*_GIVES_ROLES, "missing.client.roles")},
}
