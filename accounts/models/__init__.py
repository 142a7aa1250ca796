"""What is stored about organizations, people and their rights."""

from accounts.models.audit_event import AuditEvent
from accounts.models.division import Division
from accounts.models.organization import Organization
from accounts.models.role import Role
from accounts.models.role_grant import RoleGrant, SubjectType
from accounts.models.user import User, UserState

__all__ = [
    "AuditEvent",
    "Division",
    "Organization",
    "Role",
    "RoleGrant",
    "SubjectType",
    "User",
    "UserState",
]
