"""What is stored about organizations, people and their rights."""

from accounts.models.audit_event import AuditEvent
from accounts.models.division import Division
from accounts.models.identity_provider import Binding, IdentityProvider, NameIdFormat
from accounts.models.organization import Organization
from accounts.models.role import Role
from accounts.models.role_grant import RoleGrant, SubjectType
from accounts.models.saml import ProviderSession, ProviderSignIn, Purpose, UsedAssertion
from accounts.models.user import User, UserState

__all__ = [
    "AuditEvent",
    "Binding",
    "Division",
    "IdentityProvider",
    "NameIdFormat",
    "Organization",
    "ProviderSession",
    "ProviderSignIn",
    "Purpose",
    "Role",
    "RoleGrant",
    "SubjectType",
    "UsedAssertion",
    "User",
    "UserState",
]
