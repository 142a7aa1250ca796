"""`/tokens/timeout` (wire contract E2 and J): after how long without a call a token is dead."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Organization
from accounts.permissions import Permission
from oauthclients.api.params import Body
from oauthclients.api.views import ApiView
from oauthclients.resource_server.guard import requires
from oauthclients.services import idle_time


class IdleTokenTimeout(ApiView):
    @requires(scopes=("authorization", "authorization:readonly", "organization", "organization:readonly"))
    def get(self, request: Request) -> Response:
        return Response(_timeout(self.organization))

    @requires(Permission.DIRECTORY_ORGANIZATION_ADMIN, scopes=("authorization",))
    def put(self, request: Request) -> Response:
        """What is absent stays as it is. Timeouts for groups of people do not exist here, and what is said
        about them (`inactivityTimeoutGroupBundles`) is not read."""
        body = Body(request.data)
        enabled = body.flag("enableIdleTokenTimeout")
        seconds = body.whole("idleTokenTimeoutSeconds")
        body.check()
        changed = idle_time.set_timeout(actor=self.actor, enabled=enabled, seconds=seconds)
        return Response(_timeout(changed))


def _timeout(row: Organization) -> dict[str, Any]:
    """The seconds are kept while the timeout is off."""
    return {
        "idleTokenTimeoutSeconds": row.idle_timeout_seconds,
        "enableIdleTokenTimeout": row.idle_timeout_enabled,
    }
