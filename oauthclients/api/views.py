"""What every view of `/api/v2` shares: who is calling, the order of the checks, and the headers."""

from __future__ import annotations

from functools import cache
from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.actor import Actor
from accounts.models import Organization
from accounts.rules import footing
from oauthclients.api.errors import ApiError
from oauthclients.api.route_names import template
from oauthclients.resource_server import refused
from oauthclients.resource_server.bearer import Caller
from oauthclients.services import usage


class ApiView(APIView):
    """The base of all of them. Handlers are marked with `resource_server.guard.requires`."""

    # No OPTIONS: DRF's answer to it describes the code.
    http_method_names = ["get", "head", "post", "put", "patch", "delete"]

    @property
    def caller(self) -> Caller:
        return cast(Caller, self.request.user)

    @property
    def actor(self) -> Actor:
        return self.caller.actor

    @property
    def organization(self) -> Organization:
        return self.caller.organization

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Does this route know the method; is the token alive; is there room in its minute; may it do
        this. DRF counts last; here a refused call counts as well, and its answer says how many are left."""
        self._answer_in_json(request)
        method = (request.method or "").lower()
        if method not in self.http_method_names or not hasattr(self, method):
            raise MethodNotAllowed(request.method or "")
        self.perform_authentication(request)
        self.check_throttles(request)
        footing.begin()
        self.check_permissions(request)
        _refuse_large(request)

    def _answer_in_json(self, request: Request) -> None:
        """What DRF wants to have settled before it can answer; there are no formats or versions."""
        self.format_kwarg = None
        request.accepted_renderer, request.accepted_media_type = self.perform_content_negotiation(request)
        request.version = request.versioning_scheme = None

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """View, request and answer refer to each other, so that only a search for garbage would find them:
        that of thousands, in a pause for which everybody waits. With the answer made, nobody needs that."""
        response = super().dispatch(request, *args, **kwargs)
        if isinstance(response, Response):
            response.render()
            response.renderer_context = {}  # type: ignore[attr-defined]
            self.request.parser_context = {}
            vars(self).pop("head", None)  # the view's own method, by `View.setup`
        return response

    @property
    def default_response_headers(self) -> dict[str, str]:
        """That no cache keeps an answer, which shows what one token may see at one moment (wire contract
        G3), is said where that is said of everything (config/middleware.py)."""
        known = _allowed(type(self))  # type: ignore[arg-type]  # which mypy takes for unhashable
        return {"Allow": known} if known else {}

    def handle_exception(self, exc: Exception) -> Response:
        """A refusal is noted with its reason."""
        if isinstance(caller := getattr(self.request, "_user", None), Caller):
            refused.call(self.request, caller, exc)
        response: Response = super().handle_exception(exc)
        return response

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        window, used = getattr(request, "rate", (None, 0))
        if window is not None and window.limit:
            response["inin-ratelimit-count"] = str(used)
            response["inin-ratelimit-allowed"] = str(window.limit)
            response["inin-ratelimit-reset"] = str(window.resets_in())
        steps = footing.end()
        if isinstance(caller := getattr(request, "_user", None), Caller):
            self._count(request, caller, response.status_code)
            if steps and response.status_code < 400:
                usage.exercised(
                    organization_id=caller.organization.id,
                    client=caller.client,
                    access=caller.effective.access if caller.person is None else None,
                    steps=steps,
                    now=timezone.now(),
                )
        return response

    def _count(self, request: Request, caller: Caller, status: int) -> None:
        found = request._request.resolver_match
        usage.count(
            organization_id=caller.organization.id,
            client_id=caller.client.id,
            method=request.method or "",
            route=template(found.route) if found else "",
            status=status,
            now=timezone.now(),
        )


@cache
def _allowed(view: type[ApiView]) -> str:
    made = view()
    made.setup(HttpRequest())  # by which what answers GET answers HEAD
    return ", ".join(made.allowed_methods)


class NoSuchRoute(ApiView):
    """Every other address under `/api/v2`, one with a slash at its end included, whoever asks."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        self._answer_in_json(request)
        raise ApiError(404, "not.found", _("There is nothing at this address."))


def _refuse_large(request: Request) -> None:
    """Before anything of the body is read."""
    try:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        length = 0
    if length > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        raise ApiError(413, "request.entity.too.large", _("The request is too large."))


def no_content() -> Response:
    return Response(status=204)
