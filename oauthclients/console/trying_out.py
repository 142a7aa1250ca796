"""Test token (UX spec 4.5, 4.6): a real request of this client's, what it was answered, and the end of
what was issued.

What is typed or pasted here, a secret, an assertion, an address with a code or token in it, is used once:
it is in no address of ours, session, log or audit line, and never written back into a page.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from django import forms
from django.core import signing
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from accounts import rates
from accounts.actor import Actor
from accounts.console.guard import actor_of, requires
from accounts.errors import NotFound
from accounts.models import User
from accounts.permissions import Permission
from oauthclients import grant_types, queries
from oauthclients.authorization_server.views import TokenView
from oauthclients.console import client_view, secret_page, words
from oauthclients.console.client_pages import breadcrumbs
from oauthclients.console.snippets import token_url
from oauthclients.console.trying_forms import AnswerForm, form_of
from oauthclients.models import Client
from oauthclients.rules import home_region
from oauthclients.services import explorer, trial

# Per person and minute.
TESTS_PER_MINUTE = 20
# How long somebody may take to sign in.
STATE_SECONDS = 15 * 60
_SALT = "test-token"
_MAY = (Permission.OAUTH_CLIENT_VIEW, Permission.OAUTH_CLIENT_ADD, Permission.OAUTH_CLIENT_EDIT)
_HINTS: Mapping[str, Any] = {
    "invalid_client": gettext_lazy(
        "The secret is not that of this client, or it was replaced. It is shown only when it is made; you "
        "can generate a new one."
    ),
    "unauthorized_client": gettext_lazy("Enable the client first."),
    "invalid_grant": gettext_lazy(
        "A code or an assertion is good once and for a short time. Get a fresh one. Of an assertion, Check "
        "an assertion says which condition it fails."
    ),
    "invalid_scope": gettext_lazy("The app asks for a scope that is not among those of the client."),
    "access_denied": gettext_lazy("Whoever signed in said no, or may not use the app."),
    "slow_down": gettext_lazy("Too many requests. Wait a minute and try again."),
}


@dataclass(frozen=True)
class Result:
    """What came of it: of a token, `facts` about it; of a refusal, the error's own words and a hint."""

    works: bool
    title: str
    text: str = ""
    facts: tuple[dict[str, Any], ...] = ()


@sensitive_post_parameters()
@sensitive_variables()
@require_http_methods(["GET", "HEAD", "POST"])
@requires(*_MAY)
def try_out(request: HttpRequest, client_id: uuid.UUID) -> HttpResponse:
    actor = actor_of(request)
    client = queries.client(actor.organization, client_id)
    if request.method != "POST":
        return _page(request, client, form_of(client))
    if seconds := _waits(actor):
        return _too_many(request, client, seconds)
    form = form_of(client, request.POST)
    if not form.is_valid():
        return _page(request, client, form)
    given = form.cleaned_data
    if "secret_answer" in given:
        result = _of_answer(actor, client, given["secret_answer"])
    else:
        result = _of_secret(actor, client, given["secret"], given.get("secret_assertion"))
    return _page(request, client, form_of(client), result)


def _with_address(
    view: Callable[[HttpRequest, str], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """The view gets the address beside a request that has it no more: what is in the query goes into no
    form of the page, no way to the sign-in and back, and no page that says no."""

    guarded = requires(*_MAY)(view)

    @wraps(view)
    @sensitive_variables()
    def with_address(request: HttpRequest) -> HttpResponse:
        address = request.build_absolute_uri()
        request.META["QUERY_STRING"] = ""
        request.GET = QueryDict()
        response = guarded(request, address)
        # The query is in no Referer either, not even one to this host. Not "no-referrer": with that,
        # browsers send the forms of this page with "Origin: null", which the CSRF check refuses.
        response["Referrer-Policy"] = "strict-origin"
        return response

    return with_address


@sensitive_post_parameters()
@sensitive_variables()
@require_http_methods(["GET", "POST"])
@_with_address
def landing(request: HttpRequest, address: str) -> HttpResponse:
    """The redirect URI of ours that a client may have, so that a test of it ends here. No server sees what
    is behind `#`: the page sends it, or the person pastes it."""
    actor = actor_of(request)
    form = AnswerForm(request.POST if request.method == "POST" else None, auto_id="id_test_%s")
    if form.is_valid():
        address = form.cleaned_data["secret_answer"]
    said = _parameters(address)
    try:
        client = queries.client(actor.organization, _read(said.get("state", ""))["client"])
    except (signing.BadSignature, NotFound):
        wrong = bool(said) or request.method == "POST"
        result = (
            Result(False, _("This address is not the end of a test that you began here."))
            if wrong
            else None
        )
        page = {
            "form": form,
            "result": result,
            "breadcrumbs": [*breadcrumbs(), {"label": _("Test token")}],
        }
        return secret_page.not_to_be_kept(render(request, "oauth/clients/test_landing.html", page))
    if seconds := _waits(actor):
        return _too_many(request, client, seconds)
    return _page(request, client, form_of(client), _of_answer(actor, client, address))


def landing_uri() -> str:
    return explorer.origins()[0] + reverse("oauth-test-landing")


def _waits(actor: Actor) -> int:
    return rates.Window("test-token", str(actor.id), TESTS_PER_MINUTE).wait()


# --- Asking --------------------------------------------------------------------------------------


@sensitive_variables()
def _of_secret(actor: Actor, client: Client, secret: str, assertion: str | None) -> Result:
    form = {"client_id": client.client_id, "client_secret": secret.strip()}
    if assertion is None:
        form["grant_type"] = "client_credentials"
    else:
        form["grant_type"] = str(grant_types.SAML2_BEARER.grant_type)
        form |= {"orgName": client.organization.short_name, "assertion": "".join(assertion.split())}
    return _asked(actor, client, form)


@sensitive_variables()
def _of_answer(actor: Actor, client: Client, address: str) -> Result:
    """What an address says to which the browser was sent after signing in."""
    said = _parameters(address)
    try:
        state = _read(said.get("state", ""))
    except signing.BadSignature:
        state = {}
    mine = constant_time_compare(
        state.get("client", "") + state.get("person", ""), f"{client.id}{actor.id}"
    )
    if not mine:
        return Result(
            False,
            _("This address is not the end of a test that you began here."),
            _("Open the sign-in from this page, and paste the address within 15 minutes."),
        )
    if error := said.get("error"):
        return _refused(error, said.get("error_description", ""))
    if "access_token" in said:
        return _good(actor, client, said["access_token"], said.get("token_type", ""), 200)
    if "code" not in said:
        return Result(False, _("There is neither a code nor a token in this address."))
    form = {
        "grant_type": "authorization_code",
        "code": said["code"],
        "client_id": client.client_id,
        "redirect_uri": state["uri"],
        "code_verifier": _verifier(actor, client, state["nonce"]),
    }
    return _asked(actor, client, form)


def _parameters(address: str) -> dict[str, str]:
    """Of the query and behind the `#`; none of what is no address."""
    try:
        parts = urlsplit(address.strip())
    except ValueError:
        return {}
    return dict(parse_qsl(parts.query)) | dict(parse_qsl(parts.fragment))


@sensitive_variables()
def _asked(actor: Actor, client: Client, form: Mapping[str, str]) -> Result:
    """By the endpoint itself, at the address that the client would use: whatever counts for the client's
    own request counts here."""
    url, body = urlsplit(token_url(client)), urlencode(form).encode()
    request = WSGIRequest(
        {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": url.path,
            "SERVER_NAME": url.hostname,
            "SERVER_PORT": str(url.port or {"http": 80, "https": 443}[url.scheme]),
            "HTTP_HOST": url.netloc,
            "CONTENT_TYPE": "application/x-www-form-urlencoded",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.url_scheme": url.scheme,
            "wsgi.input": BytesIO(body),
        }
    )
    response = TokenView.as_view()(request)
    said = json.loads(response.content)
    if response.status_code != 200:
        return _refused(said["error"], said.get("error_description", ""), response.status_code)
    return _good(actor, client, said["access_token"], said["token_type"], response.status_code)


@sensitive_variables()
def _good(actor: Actor, client: Client, value: str, kind: str, status: int) -> Result:
    tried = trial.end(actor=actor, client=client, value=value)
    if tried is None:
        return Result(False, _("This is no living token of this client."))
    facts = [
        {"label": _("Status"), "value": str(status)},
        {"label": _("Type"), "value": kind},
        {"label": _("Lives for"), "value": words.duration(tried.seconds)},
    ]
    if tried.person is not None:
        if _sees(actor, tried.person):
            facts.append({"label": _("For"), "value": str(tried.person)})
        facts.append({"label": _("Scope"), "value": ", ".join(tried.scope)})
    for role in client_view.access(client, queries.pairs_of(client))["roles"]:
        facts.append({"label": role["name"], "value": ", ".join(role["divisions"])})
    return Result(
        True,
        ngettext(
            "Works. A token for %(n)s second was issued and revoked.",
            "Works. A token for %(n)s seconds was issued and revoked.",
            tried.seconds,
        )
        % {"n": words.number(tried.seconds)},
        facts=tuple(facts),
    )


def _sees(actor: Actor, person: User) -> bool:
    """An app may also act for people of other organizations, which have authorized it."""
    if person.organization_id != actor.organization.id:
        return False
    decision = actor.access.decide(Permission.DIRECTORY_USER_VIEW, division_id=person.division_id)
    return person.id == actor.id or bool(decision)


def _refused(error: str, description: str, status: int | None = None) -> Result:
    """In the words that the app would get."""
    title = f"{error}: {description}" if description else error
    facts = ({"label": _("Status"), "value": str(status)},) if status else ()
    return Result(False, title, str(_HINTS.get(error, "")), facts)


# --- Signing in ----------------------------------------------------------------------------------


def _sign_in(actor: Actor, client: Client) -> dict[str, Any]:
    """Where to open the sign-in, and whether it ends on a page of ours."""
    uris = client.redirect_uri_list
    own = landing_uri()
    uri = own if own in uris else (uris[0] if uris else "")
    nonce = uuid.uuid4().hex
    state = {"client": str(client.id), "person": str(actor.id), "nonce": nonce, "uri": uri}
    response_type = grant_types.BY_CODE[client.authorization_grant_type].response_type
    asked = {
        "client_id": client.client_id,
        "response_type": response_type,
        "redirect_uri": uri,
        "state": signing.dumps(state, salt=_SALT),
    }
    if response_type == "code":
        digest = hashlib.sha256(_verifier(actor, client, nonce).encode()).digest()
        asked["code_challenge"] = urlsafe_b64encode(digest).decode().rstrip("=")
        asked["code_challenge_method"] = "S256"
    base = home_region.login_url(client.organization)
    return {"url": f"{base}/oauth/authorize?{urlencode(asked)}", "uri": uri, "own": own, "here": uri == own}


def _verifier(actor: Actor, client: Client, nonce: str) -> str:
    """Nobody has to keep it: whoever began the test, and nobody else, can have it made again here."""
    return salted_hmac(_SALT, f"{actor.id}:{client.id}:{nonce}", algorithm="sha256").hexdigest()


def _read(state: str) -> dict[str, str]:
    """Raises `BadSignature`."""
    found: dict[str, str] = signing.loads(state, salt=_SALT, max_age=STATE_SECONDS)
    return found


# --- Pages ---------------------------------------------------------------------------------------


def _too_many(request: HttpRequest, client: Client, seconds: int) -> HttpResponse:
    message = ngettext(
        "Too many tests. Try again in %(seconds)d second.",
        "Too many tests. Try again in %(seconds)d seconds.",
        seconds,
    ) % {"seconds": seconds}
    response = _page(request, client, form_of(client), Result(False, message), status=429)
    response["Retry-After"] = str(seconds)
    return response


def _page(
    request: HttpRequest, client: Client, form: forms.Form, result: Result | None = None, status: int = 200
) -> HttpResponse:
    grant = words.grant_type(client)
    response = render(
        request,
        "oauth/clients/test_token.html",
        {
            "client": client,
            "grant": grant,
            "form": form,
            "form_errors": bool(form.errors),
            "result": result,
            "sign_in": _sign_in(actor_of(request), client) if grant.uses_redirect_uris else None,
            "saml": grant is grant_types.SAML2_BEARER,
            "breadcrumbs": [
                *breadcrumbs(),
                {"label": client.name, "url": reverse("oauth-client", args=[client.id])},
                {"label": _("Test token")},
            ],
        },
        status=status,
    )
    return secret_page.not_to_be_kept(response)
