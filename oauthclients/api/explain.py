"""`POST /latchkey/explain`, of our own: why a call would be allowed or refused (explain/)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.permissions import Permission
from oauthclients.api import shapes
from oauthclients.api.oauth_clients import OAUTH_READ
from oauthclients.api.params import Body
from oauthclients.api.views import ApiView
from oauthclients.explain.answer import Answer, answer
from oauthclients.explain.changes import Change, needed
from oauthclients.explain.question import Asked, read
from oauthclients.resource_server.guard import requires


class Explain(ApiView):
    @requires(Permission.OAUTH_CLIENT_VIEW, scopes=OAUTH_READ)
    def post(self, request: Request) -> Response:
        """`clientId` or `tokenId`, and what the call would be. Ids only: a token itself is never sent."""
        body = Body(request.data)
        asked = Asked(
            client_id=body.text("clientId") or "",
            token_id=_number(body, "tokenId"),
            user_id=body.text("userId") or "",
            method=body.text("method") or "",
            path=body.text("path") or "",
            permissions=(*filter(None, [body.text("permission")]), *(body.texts("permissions") or ())),
            division_id=body.text("divisionId") or "",
        )
        body.check()
        found = answer(read(self.actor, asked))
        return Response(_shaped(found, needed(self.actor, found)))


def _number(body: Body, name: str) -> str:
    """As a number, or its digits."""
    return str(body.raw(name)) if isinstance(body.raw(name), int) else body.text(name) or ""


def _shaped(found: Answer, changes: list[Change]) -> dict[str, Any]:
    """Without a refusal there is neither `status`, `code` nor `message`, and nothing to change."""
    asked = found.question
    shape: dict[str, Any] = {
        "allowed": found.allowed,
        "dependsOnUser": found.depends,
        "client": {"id": str(asked.client.id), "name": asked.client.name},
        "conditions": [
            {
                "id": one.id,
                "text": one.text,
                # Null where it depends on a person who was not named.
                "met": one.met,
                **({"code": one.code} if one.met is False else {}),
                **({"detail": one.detail} if one.detail else {}),
                **({"missing": list(one.missing)} if one.met is False and one.missing else {}),
            }
            for one in found.conditions
        ],
        "notes": list(found.notes),
        "changes": [
            {
                "condition": change.condition,
                "text": change.text,
                **({"uri": f"{settings.BASE_URL}{change.url}"} if change.url else {}),
            }
            for change in changes
        ],
    }
    if not found.allowed:
        shape |= {"status": found.status, "code": found.code, "message": found.message}
    if asked.token is not None:
        shape["tokenId"] = str(asked.token.pk)
    if asked.person is not None:
        shape["user"] = {"id": str(asked.person.id), "name": str(asked.person)}
    if asked.path:
        shape |= {"method": asked.method, "path": found.route.path if found.route else asked.path}
    if asked.division is not None:
        shape["division"] = shapes.division_name(asked.division)
    return shape
