"""What django-axes asks when it has shut somebody out."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse


def keep_response(request: HttpRequest, response: HttpResponse, credentials: Any) -> HttpResponse:
    """The view has already said so, in the page that the person was on (`views.refusal`)."""
    return response
