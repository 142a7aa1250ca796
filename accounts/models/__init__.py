"""What is stored about organizations, people and their rights."""

from accounts.models.audit_event import AuditEvent
from accounts.models.division import Division
from accounts.models.group import Group, GroupMember
from accounts.models.identity_provider import Binding, IdentityProvider, NameIdFormat
from accounts.models.invitation import Invitation
from accounts.models.organization import Organization
from accounts.models.person_details import ExternalIdentifier, PhoneNumber, Skill, SkillKind
from accounts.models.role import Role
from accounts.models.role_grant import RoleGrant, SubjectType
from accounts.models.saml import ProviderSession, ProviderSignIn, Purpose, UsedAssertion
from accounts.models.user import Source, User, UserState

__all__ = [
    "AuditEvent",
    "Binding",
    "Division",
    "ExternalIdentifier",
    "Group",
    "GroupMember",
    "IdentityProvider",
    "Invitation",
    "NameIdFormat",
    "Organization",
    "PhoneNumber",
    "ProviderSession",
    "ProviderSignIn",
    "Purpose",
    "Role",
    "RoleGrant",
    "Skill",
    "SkillKind",
    "Source",
    "SubjectType",
    "UsedAssertion",
    "User",
    "UserState",
]
