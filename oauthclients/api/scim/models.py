"""What a SCIM client sees of people and groups: the attributes that are kept here, and no others.

The texts in quotes below the attributes are published in `/schemas`.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field
from scim2_models import (
    URN,
    CaseExact,
    ComplexAttribute,
    ExtensibleStringEnum,
    Extension,
    Mutability,
    Reference,
    Required,
    Resource,
    ResourceType,
    Returned,
    ScimPolicy,
    ScimProvider,
    ServiceProviderConfig,
    Uniqueness,
)
from scim2_models.resources.resource import AnyExtension

LARGEST_PAGE = 500
DEFAULT_PAGE = 25

# Attributes that are not kept here are ignored, and PATCH takes what Microsoft Entra ID sends: a `remove`
# with a value, and a filter that finds nothing but says what there should be.
POLICY = ScimPolicy(
    unknown=ScimPolicy.Unknown.ignore,
    remove_value_as_filter=ScimPolicy.RemoveValue.apply,
    unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
)


class Name(ComplexAttribute):
    formatted: Annotated[str | None, Mutability.read_only] = None
    """The name that is shown, as in displayName."""

    family_name: str | None = None
    """The family name, or last name."""

    given_name: str | None = None
    """The given name, or first name."""


class Email(ComplexAttribute):
    class Type(ExtensibleStringEnum):
        work = "work"
        other = "other"

    value: str | None = None
    """The address. That of type work is always the userName, by which the person signs in."""

    type: Type | None = None
    """work or other; entries of another type are not kept."""

    primary: bool | None = None
    """Whether it is the first one to write to: that of type work."""


class PhoneNumber(ComplexAttribute):
    class Type(ExtensibleStringEnum):
        work = "work"
        work2 = "work2"
        work3 = "work3"
        work4 = "work4"
        mobile = "mobile"
        home = "home"
        main = "main"
        fax = "fax"
        pager = "pager"
        other = "other"

    value: str | None = None
    """The number."""

    type: Type | None = None
    """What it is for; one number of each type. Without a type: work."""

    primary: bool | None = None
    """Whether it is the first one to call."""


class GroupMembership(ComplexAttribute):
    value: Annotated[str | None, Mutability.read_only, CaseExact.true] = None
    """The group's id."""

    ref: Annotated[Reference[Group] | None, Mutability.read_only] = Field(
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    """The group's address."""

    display: Annotated[str | None, Mutability.read_only] = None
    """The group's name."""

    type: Annotated[str | None, Mutability.read_only] = None
    """Always direct: groups hold no groups."""


class HeldRole(ComplexAttribute):
    value: str | None = None
    """The role's name."""

    primary: bool | None = None
    """Whether it is the only one."""


class User(Resource[AnyExtension]):
    """A person"""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:User")

    user_name: Annotated[str | None, Uniqueness.server, Required.true] = None
    """The email address by which the person signs in."""

    name: Name | None = None
    """The parts of the person's name."""
    Name: ClassVar[type[ComplexAttribute]] = Name

    display_name: Annotated[str | None, Required.true] = None
    """The name that is shown. Where it is left out, it is made of the name's parts, or is the userName."""

    title: str | None = None
    """The person's title, such as Vice President."""

    active: bool | None = None
    """Whether the person can sign in. Turned off, their sign-ins and tokens end at once, for good."""

    password: Annotated[str | None, Mutability.write_only, Returned.never, CaseExact.true] = None
    """The person's password. It is never returned."""

    emails: list[Email] | None = None
    """The person's email addresses."""
    Emails: ClassVar[type[ComplexAttribute]] = Email

    phone_numbers: list[PhoneNumber] | None = None
    """The person's phone numbers."""
    PhoneNumbers: ClassVar[type[ComplexAttribute]] = PhoneNumber

    groups: Annotated[list[GroupMembership] | None, Mutability.read_only] = None
    """The groups that the person is in; changed at the groups."""
    Groups: ClassVar[type[ComplexAttribute]] = GroupMembership

    roles: list[HeldRole] | None = None
    """The roles that the person holds, by name. A role is given in the person's division."""
    Roles: ClassVar[type[ComplexAttribute]] = HeldRole


class Manager(ComplexAttribute):
    value: Annotated[str | None, CaseExact.true] = None
    """The manager's id."""

    ref: Annotated[Reference[User] | None, Mutability.read_only] = Field(  # type: ignore[type-arg]
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    """The manager's address."""

    display_name: Annotated[str | None, Mutability.read_only] = None
    """The manager's name."""


class EnterpriseUser(Extension):
    """What an employer keeps of a person"""

    __schema__ = URN("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User")

    employee_number: str | None = None
    """The employer's number for the person."""

    division: str | None = None
    """The name of the division that the person sits in. It must be there."""

    department: str | None = None
    """The name of a department, in any words."""

    date_hire: str | None = None
    """The day on which the person was hired, such as 2026-11-20."""

    manager: Manager | None = None
    """The person whom this person reports to."""


class RoutingSkill(ComplexAttribute):
    name: Annotated[str | None, CaseExact.true] = None
    """What the person can do."""

    proficiency: float | None = None
    """How well: 0 to 5."""


class RoutingLanguage(ComplexAttribute):
    name: Annotated[str | None, CaseExact.true] = None
    """What the person speaks."""

    proficiency: float | None = None
    """How well: 0 to 5."""


class ExternalId(ComplexAttribute):
    authority: Annotated[str | None, CaseExact.true] = None
    """The system that knows the person by this ID."""

    value: Annotated[str | None, CaseExact.true] = None
    """The ID."""


class GenesysUser(Extension):
    """What Genesys Cloud keeps of a person"""

    __schema__ = URN("urn:ietf:params:scim:schemas:extension:genesys:purecloud:2.0:User")

    routing_skills: list[RoutingSkill] | None = None
    """What the person can do."""

    routing_languages: list[RoutingLanguage] | None = None
    """What the person speaks."""

    external_ids: list[ExternalId] | None = None
    """The person's IDs in other systems, one of each authority."""


class GroupMember(ComplexAttribute):
    value: Annotated[str | None, Mutability.immutable, CaseExact.true] = None
    """The member's id."""

    ref: Annotated[Reference[User] | None, Mutability.immutable] = Field(  # type: ignore[type-arg]
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    """The member's address."""

    type: Annotated[str | None, Mutability.immutable] = None
    """Always User: groups hold no groups."""

    display: Annotated[str | None, Mutability.read_only] = None
    """The member's name."""


class Group(Resource[Any]):
    """A group of people"""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:Group")

    display_name: Annotated[str | None, Required.true] = None
    """The group's name."""

    members: list[GroupMember] | None = None
    """Who is in the group. Only people in the divisions of the SCIM client are listed and changed."""
    Members: ClassVar[type[ComplexAttribute]] = GroupMember


Person = User[EnterpriseUser | GenesysUser]

_SUPPORTED = {"supported": True}

PROVIDER = ScimProvider(
    models=[User, EnterpriseUser, GenesysUser, Group],
    resource_types=[ResourceType.from_resource(Person), ResourceType.from_resource(Group)],
    config=ServiceProviderConfig.model_validate(
        {
            "patch": _SUPPORTED,
            "bulk": {"supported": False, "max_operations": 0, "max_payload_size": 0},
            "filter": {"supported": True, "max_results": LARGEST_PAGE},
            "change_password": _SUPPORTED,
            "sort": _SUPPORTED,
            "etag": _SUPPORTED,
            "authentication_schemes": [
                {
                    "type": "oauthbearertoken",
                    "name": "OAuth Bearer Token",
                    "description": "A token of an OAuth client that has the role SCIM Integration",
                    "spec_uri": "https://www.rfc-editor.org/info/rfc6750",
                    "primary": True,
                }
            ],
        }
    ),
    policy=POLICY,
)
