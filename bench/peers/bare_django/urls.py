from __future__ import annotations

import base64
import secrets

from django.http import HttpRequest, JsonResponse
from django.urls import path

from bench.peers.bare_django.models import Noted, Thing


def note(request: HttpRequest) -> JsonResponse:
    """Takes the same request as a token endpoint, and reads no more of it than whose it is."""
    name, _, _ = base64.b64decode(request.headers["Authorization"].partition(" ")[2]).partition(b":")
    value = secrets.token_urlsafe(32)
    Noted.objects.create(thing=Thing.objects.get(name=name.decode()), value=value)
    return JsonResponse({"access_token": value, "expires_in": 86_400, "token_type": "bearer"})


urlpatterns = [path("token", note)]
