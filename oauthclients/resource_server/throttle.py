"""At most so many calls in a minute per token, told in the headers of wire contract G3."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts import rates

if TYPE_CHECKING:
    from rest_framework.views import APIView  # which reads the setting that names this module


class PerTokenThrottle(BaseThrottle):
    """Leaves the window on the request, for the view to write the headers (api/views.py)."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        self.window = rates.Window("api", str(request.auth.pk), settings.RATE_API_PER_TOKEN)
        used = self.window.count()
        request.rate = (self.window, used)  # type: ignore[attr-defined]
        return not self.window.limit or used <= self.window.limit

    def wait(self) -> float:
        return float(self.window.resets_in())
