"""Who may decide whom an organization believes.

An identity provider says who somebody is. Whoever sets one up, with a key of their own, could therefore
become anybody in the organization, and do what that person may. So it takes the permission *and* all that
anybody could become: every permission that an active person holds, wherever they hold it. The rule is that
of handing on roles (rules/delegation.py), but it looks at permissions, because becoming somebody gives
what they may do and not the roles by which they may. The same goes for whoever chooses somebody's password,
or the email address by which they sign in.
"""

from __future__ import annotations

from collections.abc import Iterable

from accounts.rules.access import Access, HeldRole


def beyond(access: Access, held: Iterable[HeldRole]) -> tuple[HeldRole, ...]:
    """Those of the roles, held by others, that allow something which this subject may not do there."""
    return tuple(
        role
        for role in held
        if not all(access.covers(permission, role.division_id) for permission in role.permissions)
    )
