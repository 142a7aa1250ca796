"""What goes over the wire, as JSON Schema: the components of the OpenAPI document.

They say what `shapes.py` writes and `params.py` reads, field by field. Every answer that a test gets of the
API is compared with them, and a field that is not here fails it (tests/documented.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from accounts.models import Binding, NameIdFormat, SubjectType, UserState
from oauthclients import grant_types
from oauthclients.models import AuthorizationState, ClientState

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
UUID: Schema = {"type": "string", "format": "uuid"}
DATE: Schema = {"type": "string", "format": "date-time"}
URI: Schema = {"type": "string", "format": "uri-reference"}
WHOLE: Schema = {"type": "integer"}
FLAG: Schema = {"type": "boolean"}
ANYTHING: Schema = {}
EMPTY: Schema = {"type": "object", "properties": {}}


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def many(one: Schema) -> Schema:
    return {"type": "array", "items": one}


def enum(*values: Any) -> Schema:
    return {"type": "string", "enum": [str(value) for value in values]}


def short(one: Schema, most: int) -> Schema:
    """A list that has at most so many."""
    return {**many(one), "maxItems": most}


def nullable(one: Schema) -> Schema:
    return {"anyOf": [one, {"type": "null"}]}


def thing(always: Mapping[str, Schema], **sometimes: Schema) -> Schema:
    """An object: what is always there, and what only where there is something to say."""
    shape: Schema = {"type": "object", "properties": {**always, **sometimes}}
    return {**shape, "required": list(always)} if always else shape


def listing(name: str, **more: Schema) -> Schema:
    """The envelope of a page (wire contract E1)."""
    return thing(
        {
            "entities": many(ref(name)),
            "pageSize": WHOLE,
            "pageNumber": WHOLE,
            "total": WHOLE,
            "pageCount": WHOLE,
            "firstUri": URI,
            "selfUri": URI,
            "lastUri": URI,
            **more,
        },
        nextUri=URI,
        previousUri=URI,
    )


def named_in(shape: Any) -> Iterator[str]:
    """The names of the components that a schema refers to."""
    if isinstance(shape, dict):
        if isinstance(name := shape.get("$ref"), str):
            yield name.rpartition("/")[2]
        for part in shape.values():
            yield from named_in(part)
    elif isinstance(shape, list):
        for part in shape:
            yield from named_in(part)


TEXTS = many(TEXT)
# A division by its id, or all of them.
_DIVISION_ID: Schema = {"type": "string", "description": "The id of a division, or `*` for all of them"}
_NAMED = {"id": UUID, "name": TEXT}
_LINKED = {**_NAMED, "selfUri": URI}

_CLIENT = {
    "id": UUID,
    "name": TEXT,
    "authorizedGrantType": enum(*(grant.wire for grant in grant_types.GRANT_TYPES)),
    "scope": TEXTS,
    "state": enum(*ClientState.values),
}
_CLIENT_SHOWN = {
    **_CLIENT,
    "description": TEXT,
    "registeredRedirectUri": TEXTS,
}
_CLIENT_WHOLE = {
    "accessTokenValiditySeconds": WHOLE,
    "roleDivisions": many(ref("RoleDivision")),
    "roleIds": TEXTS,
    "dateCreated": DATE,
    "dateModified": DATE,
    "createdBy": ref("Who"),
    "modifiedBy": ref("Who"),
    "selfUri": URI,
}
_CLIENT_ASKED = {
    "name": TEXT,
    "description": TEXT,
    "authorizedGrantType": TEXT,
    "accessTokenValiditySeconds": WHOLE,
    "registeredRedirectUri": TEXTS,
    "scope": TEXTS,
    "roleDivisions": many(ref("RoleDivision")),
    "roleIds": TEXTS,
    "state": TEXT,
    "dateToDelete": DATE,
}
_POLICIES = many(ref("PermissionPolicy"))
_ROLE = {
    **_LINKED,
    "description": TEXT,
    "permissions": TEXTS,
    "unusedPermissions": TEXTS,
    "permissionPolicies": _POLICIES,
    "roleNeedsUpdate": FLAG,
    "default": FLAG,
    "base": FLAG,
}
_USER = {
    **_LINKED,
    "division": ref("DivisionName"),
    "email": TEXT,
    "primaryContactInfo": many(ref("Contact")),
    "addresses": many(ref("Contact")),
    "state": enum(*UserState.values),
    "username": TEXT,
    "images": many(ANYTHING),
    "version": WHOLE,
    "acdAutoAnswer": FLAG,
}
_USER_SOMETIMES: Mapping[str, Schema] = {
    "department": TEXT,
    "title": TEXT,
    "manager": ref("UserId"),
    "dateLastLogin": DATE,
    "employerInfo": thing({"officialName": TEXT}, employeeId=TEXT, dateHire=TEXT),
    "lastTokenIssued": thing({"dateIssued": DATE}),
    "groups": many(ref("GroupName")),
    "skills": many(ref("Skill")),
    "languages": many(ref("Skill")),
    "authorization": ref("UserAuthorization"),
}
_PROVIDER_ASKED = {
    "name": TEXT,
    "disabled": FLAG,
    "issuerURI": TEXT,
    "ssoTargetURI": TEXT,
    "ssoBinding": TEXT,
    "sloURI": TEXT,
    "sloBinding": TEXT,
    "audience": TEXT,
    "relyingPartyIdentifier": TEXT,
    "nameIdentifierFormat": TEXT,
    "emailAttribute": TEXT,
    "signAuthnRequests": FLAG,
    "forceAuthn": FLAG,
    "metadataURL": TEXT,
    "displayOnLogin": FLAG,
    "acceptForBearerGrant": FLAG,
    "certificate": TEXT,
    "certificates": TEXTS,
    "version": WHOLE,
}
_SCIM_META = thing({"resourceType": TEXT, "location": URI}, created=DATE, lastModified=DATE, version=TEXT)
_SCIM_USER = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
_SCIM_GENESYS = "urn:ietf:params:scim:schemas:extension:genesys:purecloud:2.0:User"


def scim_list(name: str) -> Schema:
    return thing(
        {"schemas": TEXTS, "totalResults": WHOLE},
        startIndex=WHOLE,
        itemsPerPage=WHOLE,
        Resources=many(ref(name)),
    )


def _supported(**more: Schema) -> Schema:
    return thing({"supported": FLAG, **more})


_VALUE = thing({"value": TEXT}, type=TEXT, primary=FLAG, display=TEXT, **{"$ref": URI})

COMPONENTS: Mapping[str, Schema] = {
    # Wire contract G1; RFC 7644 3.12.
    "ErrorBody": thing(
        {"message": TEXT, "code": TEXT, "status": WHOLE, "contextId": UUID},
        messageParams={"type": "object", "additionalProperties": TEXT},
        details=many(thing({"errorCode": TEXT, "message": TEXT}, fieldName=TEXT, line=WHOLE)),
        errors=many(ref("ErrorBody")),
    ),
    "ScimError": thing({"schemas": TEXTS, "status": TEXT, "detail": TEXT}, scimType=TEXT),
    # --- What others refer to ---
    "Who": thing({}, id=UUID, name=TEXT, selfUri=URI),
    "Named": thing(_NAMED),
    "UserId": thing({"id": UUID, "selfUri": URI}),
    "GroupName": thing(_LINKED),
    "DivisionName": thing(_LINKED),
    "RoleDivision": thing({"roleId": TEXT}, divisionId=_DIVISION_ID),
    "PermissionPolicy": thing(
        {"domain": TEXT, "entityName": TEXT, "actionSet": TEXTS},
        namedResources=TEXTS,
        allowConditions=FLAG,
    ),
    "Contact": thing({"address": TEXT, "mediaType": TEXT, "type": TEXT}, display=TEXT),
    "Skill": thing({"name": TEXT, "state": TEXT}, proficiency={"type": "number"}),
    # --- OAuth clients ---
    "OAuthClient": thing(
        {**_CLIENT_SHOWN, **_CLIENT_WHOLE},
        driftedRoleDivisions=many(ref("RoleDivision")),
        dateToDelete=DATE,
        secret={**TEXT, "description": "Shown by the two calls that make one, and never again"},
        notices=TEXTS,
    ),
    "OAuthClientListing": listing("OAuthClient"),
    "OAuthClientRequest": thing({}, **_CLIENT_ASKED),
    "OAuthScope": thing({"id": TEXT, "description": TEXT, "selfUri": URI}),
    "OAuthScopeListing": thing({"total": WHOLE, "entities": many(ref("OAuthScope")), "selfUri": URI}),
    "OAuthAuthorization": thing(
        {
            "client": thing(_CLIENT_SHOWN, **_CLIENT_WHOLE, dateToDelete=DATE),
            "scope": TEXTS,
            "roles": TEXTS,
            "resourceOwner": ref("Named"),
            "dateCreated": DATE,
            "dateModified": DATE,
            "createdBy": ref("Who"),
            "modifiedBy": ref("Who"),
            "pending": FLAG,
            "state": enum(*AuthorizationState.values),
            "selfUri": URI,
        }
    ),
    "OAuthAuthorizationListing": thing(
        {"total": WHOLE, "entities": many(ref("OAuthAuthorization")), "selfUri": URI}
    ),
    "TokenInfo": thing(
        {
            "organization": ref("Named"),
            "homeOrganization": ref("Named"),
            "authorizedScope": TEXTS,
            "OAuthClient": thing(
                {**_CLIENT, "organization": ref("Named")},
                **{key: _CLIENT_WHOLE[key] for key in ("roleDivisions", "dateCreated", "dateModified")},
                createdBy=ref("Who"),
                modifiedBy=ref("Who"),
                dateToDelete=DATE,
            ),
        },
        dateTokenIdles=DATE,
    ),
    "IdleTokenTimeout": thing({}, idleTokenTimeoutSeconds=WHOLE, enableIdleTokenTimeout=FLAG),
    # --- Why a call is allowed or refused ---
    "ExplainRequest": thing(
        {},
        clientId=TEXT,
        tokenId=TEXT,
        userId=TEXT,
        method=TEXT,
        path=TEXT,
        permissions=TEXTS,
        divisionId=TEXT,
    ),
    "Explanation": thing(
        {
            "allowed": FLAG,
            "dependsOnUser": FLAG,
            "client": {"type": "object"},
            "conditions": many(
                thing(
                    {"id": TEXT, "text": TEXT, "met": {"type": ["boolean", "null"]}},
                    code=TEXT,
                    detail=TEXT,
                    missing=TEXTS,
                )
            ),
            "notes": TEXTS,
            "changes": many(thing({"condition": TEXT, "text": TEXT}, uri=URI)),
        },
        status=WHOLE,
        code=TEXT,
        message=TEXT,
        user={"type": "object"},
        division={"type": "object"},
        tokenId=TEXT,
        method=TEXT,
        path=TEXT,
    ),
    # --- Usage ---
    "UsageExecution": thing({"executionId": UUID, "resultsUri": URI}),
    "UsageRequest": thing({"interval": TEXT}, granularity=TEXT, metrics=TEXTS, groupBy=TEXTS),
    "UsageSearchRequest": thing(
        {"interval": TEXT},
        metrics=TEXTS,
        **dict.fromkeys(
            ("oauthClientNames", "httpMethods", "templateUris"), short({**TEXT, "maxLength": 200}, 100)
        ),
    ),
    "UsageAnswer": thing(
        {
            "queryStatus": TEXT,
            "results": many(
                thing(
                    {},
                    clientId=UUID,
                    clientName=TEXT,
                    organizationId=UUID,
                    templateUri=TEXT,
                    httpMethod=TEXT,
                    date=DATE,
                    requests=WHOLE,
                    **{f"status{status}": WHOLE for status in (200, 300, 400, 500, 429)},
                )
            ),
            "cursors": thing({}, before=TEXT, after=TEXT),
        }
    ),
    # --- Audit trail ---
    "AuditQuery": thing(
        {"interval": TEXT},
        serviceName=TEXT,
        filters=short(thing({"property": TEXT, "value": TEXT}), 20),
        sort=many(thing({}, name=TEXT, sortOrder=TEXT)),
        pageSize=WHOLE,
        pageNumber=WHOLE,
    ),
    "AuditAnswer": thing(
        {
            "entities": many(ref("AuditLogMessage")),
            "pageSize": WHOLE,
            "pageNumber": WHOLE,
            "total": WHOLE,
            "pageCount": WHOLE,
        }
    ),
    "AuditLogMessage": thing(
        {
            "id": TEXT,
            "userHomeOrgId": UUID,
            "serviceName": TEXT,
            "level": enum("USER", "SYSTEM"),
            "eventDate": DATE,
            "message": thing({"message": TEXT}),
            "action": TEXT,
            "entity": thing({"id": nullable(TEXT), "name": TEXT}),
            "entityType": TEXT,
            "status": enum("SUCCESS", "FAILURE"),
            "remoteIp": TEXTS,
            "propertyChanges": many(thing({"property": TEXT, "oldValues": TEXTS, "newValues": TEXTS})),
            "context": {"type": "object", "additionalProperties": TEXT},
        },
        user=thing({"id": nullable(TEXT), "name": TEXT}),
        client=thing({"id": UUID, "selfUri": URI}),
        application=TEXT,
    ),
    "AuditServiceMapping": thing(
        {"services": many(thing({"name": TEXT, "entities": many(thing({"name": TEXT, "actions": TEXTS}))}))}
    ),
    # --- People and groups ---
    "User": thing(_USER, **_USER_SOMETIMES),
    "UserMe": thing(
        _USER,
        **_USER_SOMETIMES,
        organization={"anyOf": [ref("Organization"), ref("Named")]},
        token=ref("TokenInfo"),
        date=thing({"currentDate": DATE}),
    ),
    "UserListing": listing("User"),
    "UserCursorListing": thing(
        {"entities": many(ref("User")), "results": WHOLE, "selfUri": URI}, cursor=TEXT, nextUri=URI
    ),
    "UserIdListing": listing("UserId"),
    "UserSearchRequest": thing(
        {},
        pageSize=WHOLE,
        pageNumber=WHOLE,
        sortBy=TEXT,
        sortOrder=TEXT,
        expand=TEXTS,
        query=many(
            thing(
                {},
                type=TEXT,
                fields=TEXTS,
                operator=TEXT,
                value=TEXT,
                values=TEXTS,
                group=many({"type": "object"}),
            )
        ),
    ),
    "UserSearchAnswer": thing(
        {
            "total": WHOLE,
            "pageCount": WHOLE,
            "pageSize": WHOLE,
            "pageNumber": WHOLE,
            "currentPage": TEXT,
            "types": TEXTS,
            "results": many(ref("User")),
        },
        nextPage=TEXT,
        previousPage=TEXT,
    ),
    "UserRequest": thing(
        {},
        name=TEXT,
        email=TEXT,
        divisionId=TEXT,
        title=TEXT,
        department=TEXT,
        password=TEXT,
        state=TEXT,
        version=WHOLE,
        manager=ANYTHING,
        employerInfo={"type": "object"},
        addresses=many({"type": "object"}),
    ),
    "UserState": thing({"state": enum(*UserState.values)}, version=WHOLE),
    "UserAuthorization": thing(
        {
            "roles": many(ref("Named")),
            "unusedRoles": many(ref("Named")),
            "permissions": TEXTS,
            "permissionPolicies": _POLICIES,
        }
    ),
    "ExternalId": thing({"authorityName": TEXT, "externalKey": TEXT}, selfUri=URI),
    "NewPassword": thing({"newPassword": TEXT}),
    "OwnPassword": thing({"newPassword": TEXT, "oldPassword": TEXT}),
    "Group": thing(
        {
            **_LINKED,
            "dateModified": DATE,
            "memberCount": WHOLE,
            "state": TEXT,
            "version": WHOLE,
            "type": TEXT,
            "visibility": TEXT,
            **dict.fromkeys(("rulesVisible", "rolesEnabled", "includeOwners", "callsEnabled"), FLAG),
            **dict.fromkeys(("images", "addresses", "owners"), many(ANYTHING)),
        },
        description=TEXT,
    ),
    "GroupListing": listing("Group"),
    "GroupRequest": thing({}, name=TEXT, description=TEXT, version=WHOLE),
    "GroupMembersRequest": thing({"memberIds": TEXTS, "version": WHOLE}),
    # --- Organization ---
    "Organization": thing(
        {
            **_LINKED,
            "defaultLanguage": TEXT,
            "defaultCountryCode": TEXT,
            "thirdPartyOrgName": TEXT,
            "domain": TEXT,
            "features": ref("OrganizationFeatures"),
            "version": WHOLE,
            "state": enum("active", "inactive"),
        }
    ),
    "OrganizationRequest": thing({"version": WHOLE}, name=TEXT),
    "OrganizationFeatures": thing({"hipaa": FLAG}),
    "FeatureRequest": thing({"enabled": FLAG}),
    "AuthenticationSettings": thing(
        {},
        multifactorAuthenticationRequired=FLAG,
        domainAllowlistEnabled=FLAG,
        domainAllowlist=TEXTS,
        ipAddressAllowlist=TEXTS,
        passwordRequirements=thing({}, minimumLength=WHOLE),
        inactivityTimeoutExclusions=TEXTS,
    ),
    # --- Divisions, roles and grants ---
    "Division": thing(
        {**_LINKED, "description": TEXT, "homeDivision": FLAG},
        objectCounts={"type": "object", "additionalProperties": WHOLE},
    ),
    "DivisionListing": listing("Division"),
    "DivisionCursorListing": thing(
        {"entities": many(ref("Division")), "selfUri": URI}, nextUri=URI, previousUri=URI
    ),
    "PermittedDivisionListing": listing("Division", allDivsPermitted=FLAG),
    "DivisionRequest": thing({}, name=TEXT, description=TEXT),
    "PermissionListing": listing("PermissionDomain"),
    "PermissionDomain": thing(
        {
            "id": TEXT,
            "name": TEXT,
            "domain": TEXT,
            "permissionMap": {
                "type": "object",
                "additionalProperties": many(
                    thing(
                        {
                            "domain": TEXT,
                            "entityType": TEXT,
                            "action": TEXT,
                            "label": TEXT,
                            "allowsConditions": FLAG,
                            "divisionAware": FLAG,
                        }
                    )
                ),
            },
            "selfUri": URI,
        }
    ),
    "Role": thing(_ROLE, defaultRoleId=TEXT, userCount=WHOLE, notices=TEXTS),
    "RoleListing": listing("Role"),
    "RoleRequest": thing(
        {}, id=TEXT, name=TEXT, description=TEXT, permissionPolicies=_POLICIES, permissions=TEXTS
    ),
    "RolePatch": thing({}, roleNeedsUpdate=FLAG),
    "RoleComparison": thing(
        {
            **dict.fromkeys(
                ("addedPermissionPolicies", "removedPermissionPolicies", "samePermissionPolicies"),
                _POLICIES,
            ),
            "userOrgRole": ref("Role"),
            "roleFromDefault": ref("Role"),
        }
    ),
    "Grant": thing(
        {
            "subjectId": UUID,
            "division": thing(
                {"id": _DIVISION_ID, "name": TEXT, "homeDivision": FLAG}, description=TEXT, selfUri=URI
            ),
            "role": thing(
                {
                    **_LINKED,
                    "description": TEXT,
                    "policies": many(thing({"domain": TEXT, "entityName": TEXT, "actions": TEXTS})),
                    "default": FLAG,
                }
            ),
            "grantMadeAt": DATE,
        },
        grantedBy=ref("Who"),
        drifted=FLAG,
    ),
    "GrantListing": listing("Grant"),
    "Subject": thing({**_LINKED, "grants": many(ref("Grant")), "version": WHOLE}),
    "RoleHolder": thing(
        {
            **_LINKED,
            "divisions": many(thing({"id": _DIVISION_ID, "name": TEXT}, selfUri=URI)),
            "type": enum(*SubjectType.values),
        }
    ),
    "RoleHolderListing": listing("RoleHolder"),
    "RoleCounts": {"type": "object", "additionalProperties": WHOLE},
    "GrantsRequest": thing({"grants": many(ref("RoleDivision"))}),
    "SubjectsRequest": thing({"subjectIds": TEXTS, "divisionIds": TEXTS}),
    # --- Identity providers ---
    "IdentityProvider": thing(
        {
            **_LINKED,
            "disabled": FLAG,
            "issuerURI": TEXT,
            "ssoTargetURI": TEXT,
            "ssoBinding": enum(*Binding.values),
            "certificates": TEXTS,
            "nameIdentifierFormat": enum(*NameIdFormat.values),
            "emailAttribute": TEXT,
            **dict.fromkeys(
                ("signAuthnRequests", "forceAuthn", "displayOnLogin", "acceptForBearerGrant"), FLAG
            ),
            "entityId": TEXT,
            "acsUrl": TEXT,
            "version": WHOLE,
        },
        sloURI=TEXT,
        sloBinding=TEXT,
        relyingPartyIdentifier=TEXT,
        audience=TEXT,
        certificate=TEXT,
        metadataURL=TEXT,
    ),
    "IdentityProviderListing": listing("IdentityProvider"),
    "IdentityProviderRequest": thing({}, **_PROVIDER_ASKED),
    "PasswordSignIn": thing(
        {"id": TEXT, "name": TEXT, "disabled": FLAG, "selfUri": URI}, passwordKeeper=ref("UserId")
    ),
    "PasswordSignInRequest": thing({"disabled": FLAG}),
    # --- SCIM ---
    "ScimUser": thing(
        {"schemas": TEXTS},
        id=UUID,
        externalId=TEXT,
        meta=_SCIM_META,
        userName=TEXT,
        displayName=TEXT,
        name=thing({}, formatted=TEXT, givenName=TEXT, familyName=TEXT),
        title=TEXT,
        active=FLAG,
        password=TEXT,
        emails=many(_VALUE),
        phoneNumbers=many(_VALUE),
        groups=many(_VALUE),
        roles=many(_VALUE),
        **{
            _SCIM_USER: thing(
                {},
                employeeNumber=TEXT,
                division=TEXT,
                department=TEXT,
                dateHire=TEXT,
                manager=thing({}, value=TEXT, displayName=TEXT, **{"$ref": URI}),
            ),
            _SCIM_GENESYS: thing(
                {},
                routingSkills=many(thing({"name": TEXT}, proficiency={"type": "number"})),
                routingLanguages=many(thing({"name": TEXT}, proficiency={"type": "number"})),
                externalIds=many(thing({"authority": TEXT, "value": TEXT})),
            ),
        },
    ),
    "ScimUserListing": scim_list("ScimUser"),
    "ScimGroup": thing(
        {"schemas": TEXTS},
        id=UUID,
        externalId=TEXT,
        meta=_SCIM_META,
        displayName=TEXT,
        members=many(_VALUE),
    ),
    "ScimGroupListing": scim_list("ScimGroup"),
    "ScimPatch": thing(
        {
            "schemas": TEXTS,
            "Operations": many(thing({"op": TEXT}, path=TEXT, value=ANYTHING)),
        }
    ),
    "ScimSchema": thing(
        {"schemas": TEXTS, "id": TEXT, "name": TEXT, "attributes": many(ref("ScimAttribute"))},
        meta=_SCIM_META,
        description=TEXT,
    ),
    "ScimAttribute": thing(
        {"name": TEXT, "type": TEXT},
        multiValued=FLAG,
        description=TEXT,
        required=FLAG,
        caseExact=FLAG,
        mutability=TEXT,
        returned=TEXT,
        uniqueness=TEXT,
        canonicalValues=TEXTS,
        referenceTypes=TEXTS,
        subAttributes=many(ref("ScimAttribute")),
    ),
    "ScimSchemaListing": scim_list("ScimSchema"),
    "ScimResourceType": thing(
        {"schemas": TEXTS, "id": TEXT, "name": TEXT, "endpoint": TEXT, "schema": TEXT},
        meta=_SCIM_META,
        description=TEXT,
        schemaExtensions=many(thing({"schema": TEXT, "required": FLAG})),
    ),
    "ScimResourceTypeListing": scim_list("ScimResourceType"),
    "ScimServiceProviderConfig": thing(
        {
            "schemas": TEXTS,
            "patch": _supported(),
            "bulk": _supported(maxOperations=WHOLE, maxPayloadSize=WHOLE),
            "filter": _supported(maxResults=WHOLE),
            "changePassword": _supported(),
            "sort": _supported(),
            "etag": _supported(),
            "authenticationSchemes": many(
                thing({"type": TEXT, "name": TEXT, "description": TEXT}, specUri=URI, primary=FLAG)
            ),
        },
        meta=_SCIM_META,
        documentationUri=URI,
    ),
}
