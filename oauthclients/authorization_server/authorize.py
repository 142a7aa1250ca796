"""`/oauth/authorize` (RFC 6749 3.1, RFC 9700; UX spec 4.11), as a list of stops.

The request stays in the address from beginning to end: signing in, agreeing and approving all come back to
it, and everything about it is decided anew each time. A form of the consent page says only what the person
chose; nothing that it could change decides where the browser goes next.
"""

from __future__ import annotations

import hashlib
import re
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.auth.views import redirect_to_login
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import reverse
from django.utils.crypto import constant_time_compare
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from oauth2_provider.exceptions import OAuthToolkitError
from oauth2_provider.http import OAuth2ResponseRedirect
from oauth2_provider.views.mixins import OAuthLibMixin
from oauthlib.common import add_params_to_uri
from oauthlib.oauth2.rfc6749.errors import (
    AccessDeniedError,
    ConsentRequired,
    CustomOAuth2Error,
    FatalClientError,
    InvalidRequestError,
    LoginRequired,
    OAuth2Error,
    UnauthorizedClientError,
)

from accounts import queries as account_queries
from accounts.actor import Actor
from accounts.console.guard import actor_of, recently_typed, typed_since
from accounts.errors import DomainError
from accounts.models import IdentityProvider, Organization, User
from accounts.permissions import Permission
from accounts.rules.access import Decision
from oauthclients import grant_types, queries, scopes
from oauthclients.authorization_server import consent_page
from oauthclients.authorization_server.validator import NO_IMPLICIT, client_key
from oauthclients.models import Client, Consent
from oauthclients.rules import home_region, redirect_uris
from oauthclients.rules.effective_access import ROLE_LIMIT, Word, grantable
from oauthclients.services import authorizations, consents
from oauthclients.services.access import lock_person

PROMPTS = frozenset({"login", "none", "consent"})
_S256 = re.compile(r"[A-Za-z0-9_-]{43}")
# In the session between sending somebody to sign in again and their coming back: for what, and since when.
LOGIN_DEMANDED = "login_demanded"


class InteractionRequired(OAuth2Error):
    """OpenID Connect Core 3.1.2.6; oauthlib does not have it."""

    error = "interaction_required"


@dataclass(frozen=True)
class Asked:
    """A valid authorization request. `scope` is what it names itself; None for all that the client asks
    for, which is what the official SDKs send (wire contract A5)."""

    client: Client
    redirect_uri: str
    response_type: str
    scope: tuple[str, ...] | None
    state: str | None
    prompt: frozenset[str]
    organization: Organization | None
    provider: IdentityProvider | None
    credentials: dict[str, Any] = field(repr=False)

    @property
    def implicit(self) -> bool:
        return self.response_type == "token"

    @property
    def identity_unsure(self) -> bool:
        """Whether nothing will prove that the app is who it says: it runs on the person's own machine,
        where anybody can listen, and needs no secret (RFC 8252 8.6)."""
        secretless = self.implicit or "code_challenge" in self.credentials
        return secretless and redirect_uris.is_loopback(self.redirect_uri)


@dataclass(frozen=True)
class Agreement:
    """What the validator needs when it stores a code or token."""

    consent: Consent
    redirect_uri_given: bool
    session_digest: str


@dataclass(frozen=True)
class Standing:
    """How an app stands with a person, at this moment. `permitted` are the scopes that a token could have
    now, `new` those of them that the person has not agreed to; `known` is an app that the person has let
    act for them, with its answers going to this place."""

    word: Word
    barrier: Decision
    permitted: list[str]
    new: list[str]
    known: bool


@method_decorator(sensitive_post_parameters(), name="dispatch")
class AuthorizeView(OAuthLibMixin, View):
    @sensitive_variables()
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """No HEAD: to look at this address can be to give a code.

        Until the client and its redirect URI are known to be good, every error is a page of ours; after
        that, every error goes to the app, by way of the sign-in."""
        if request.method not in ("GET", "POST"):
            return HttpResponseNotAllowed(["GET", "POST"])
        try:
            asked = self.asked(request)
        except (FatalClientError, ValueError) as error:  # ValueError: an address that cannot be decoded
            return consent_page.not_possible(request, error)
        except OAuth2Error as error:
            if request.user.is_authenticated or "none" in request.GET.get("prompt", "").split():
                return self.refuse(error)
            # Else a link here would lead whoever follows it to a registered address of somebody's choice,
            # by our name (RFC 9700 4.11.2).
            return redirect_to_login(request.get_full_path())
        try:
            return self.answer(request, asked)
        except IntegrityError:
            # Somebody deleted the client, or the person, at this very moment: look again.
            return HttpResponseRedirect(request.get_full_path())
        except OAuthToolkitError as error:
            return self.refuse(error.oauthlib_error, asked)
        except OAuth2Error as error:
            return self.refuse(error, asked)

    # --- The request ----------------------------------------------------------------------------

    def asked(self, request: HttpRequest) -> Asked:
        """Raises `FatalClientError` where nobody may be sent anywhere, and `OAuth2Error` with the redirect
        URI in it otherwise. Reads the address only: a form must not be able to change the request."""
        core = self.get_oauthlib_core()
        _scopes, credentials = core.server.validate_authorization_request(
            core._get_escaped_full_path(request), "GET", None, {}
        )
        seen = credentials.pop("request")
        wrong = {"request": seen, "state": seen.state}
        for name, values in request.GET.lists():
            if len(values) > 1:
                raise InvalidRequestError(description=f"Repeated parameter: {_plain(name)}", **wrong)
        query = request.GET.dict()
        for name in ("request", "request_uri"):
            if name in query:
                raise CustomOAuth2Error(f"{name}_not_supported", **wrong)
        grant = grant_types.BY_CODE[seen.client.authorization_grant_type]
        default_mode = "fragment" if grant.response_type == "token" else "query"
        if query.get("response_mode", default_mode) != default_mode:
            raise InvalidRequestError(description="Unsupported response_mode.", **wrong)
        if "code_challenge" in credentials and not _S256.fullmatch(credentials["code_challenge"]):
            raise InvalidRequestError(description="The code_challenge is not an S256 challenge.", **wrong)
        prompt = frozenset(query.get("prompt", "").split())
        if not prompt <= PROMPTS or ("none" in prompt and len(prompt) > 1):
            raise InvalidRequestError(description="Unsupported prompt.", **wrong)
        organization = provider = None
        if "org" in query or "provider" in query:
            organization = account_queries.organization_called(query.get("org", ""))
            if organization is not None and "provider" in query:
                provider = account_queries.provider_called(organization, query["provider"])
            if organization is None or ("provider" in query and provider is None):
                raise InvalidRequestError(description="Unknown org or provider.", **wrong)
        return Asked(
            client=seen.client,
            redirect_uri=credentials["redirect_uri"],
            response_type=credentials["response_type"],
            scope=tuple(seen.scope.split()) if seen.scope else None,
            state=credentials["state"],
            prompt=prompt,
            organization=organization,
            provider=provider,
            credentials=credentials,
        )

    # --- The answer -----------------------------------------------------------------------------

    def answer(self, request: HttpRequest, asked: Asked) -> HttpResponse:
        if elsewhere := self.sign_in_first(request, asked):
            return elsewhere
        actor = actor_of(request)
        person = request.user
        assert isinstance(person, User)
        if asked.organization is not None and asked.organization.id != person.organization_id:
            self.unless_silent(asked, LoginRequired)
            return consent_page.other_person(request, asked, asked.organization)
        if asked.implicit and not person.organization.implicit_allowed:
            raise UnauthorizedClientError(description=NO_IMPLICIT)
        if request.method == "POST":
            return self.decided(request, asked, actor, person)
        standing = stand(person, asked, consents.of(person, asked.client))
        if not standing.barrier:
            self.unless_silent(asked, InteractionRequired)
            return self.page(request, asked, actor, standing)
        if standing.new or not standing.known or "consent" in asked.prompt or asked.identity_unsure:
            self.unless_silent(asked, ConsentRequired)
            return self.page(request, asked, actor, standing)
        return self.allow(request, asked, actor, person, agreed=None)

    def sign_in_first(self, request: HttpRequest, asked: Asked) -> HttpResponse | None:
        """To the sign-in and back to this address, for somebody who is not signed in, or must do it once
        more (`prompt=login` ignores a remembered session)."""
        here = request.get_full_path()
        demanded = hashlib.sha256(here.encode()).hexdigest()
        if request.user.is_authenticated and "login" not in asked.prompt:
            return None
        if "login" in asked.prompt:
            # Proved after it was demanded, which emptied the session, and not long ago.
            what, when = request.session.get(LOGIN_DEMANDED) or ("", 0.0)
            done = what == demanded and recently_typed(request) and typed_since(request, when)
            if request.user.is_authenticated and done:
                return None
            request.session.flush()
            request.session[LOGIN_DEMANDED] = (demanded, time.time())
        self.unless_silent(asked, LoginRequired)
        if asked.provider is not None:
            there = reverse("sso", args=[asked.provider.id])
            return HttpResponseRedirect(f"{there}?{urlencode({'next': here})}")
        return redirect_to_login(here)

    def decided(self, request: HttpRequest, asked: Asked, actor: Actor, person: User) -> HttpResponse:
        """What the person chose on the page."""
        match request.POST.get("decision"):
            case "allow":
                return self.allow(request, asked, actor, person, agreed=request.POST.getlist("shown"))
            case "deny":
                request.session.pop(LOGIN_DEMANDED, None)
                standing = stand(person, asked, consents.of(person, asked.client))
                why = "The person said no." if standing.barrier else "The app may not act for this person."
                raise AccessDeniedError(description=why)
            case "approve":
                return self.approve(request, asked, actor, person)
            case "ask":
                authorizations.ask(actor=actor, client_id=asked.client.id)
                return HttpResponseRedirect(request.get_full_path())
            case _:
                return HttpResponseRedirect(request.get_full_path())

    def allow(
        self, request: HttpRequest, asked: Asked, actor: Actor, person: User, *, agreed: list[str] | None
    ) -> HttpResponse:
        """Gives a code or token. `agreed` are the scopes that the page showed; None where nothing had to be
        shown. Whatever changed since the page was shown narrows what is given, and never widens it."""
        with transaction.atomic():
            if not still_signed_in(request, person):
                return HttpResponseRedirect(request.get_full_path())
            consent = consents.lock(person, asked.client)
            standing = stand(person, asked, consent)
            shown = set(agreed or ())
            silent = agreed is None
            if not standing.barrier or not shown >= set(standing.new) or (silent and not standing.known):
                return HttpResponseRedirect(request.get_full_path())
            consent = consents.agree(
                actor=actor,
                user=person,
                client=asked.client,
                scope=standing.permitted,
                place=redirect_uris.place_of(asked.redirect_uri),
            )
            uri, _headers, _body, _status = self.create_authorization_response(
                request,
                " ".join(standing.permitted),
                {
                    **asked.credentials,
                    "decision": Agreement(
                        consent=consent,
                        redirect_uri_given="redirect_uri" in request.GET,
                        session_digest=session_digest(request),
                    ),
                },
                True,
            )
        request.session.pop(LOGIN_DEMANDED, None)
        return _to_app(_by(home_region.issuer(request.get_host()), uri), asked.redirect_uri)

    def approve(self, request: HttpRequest, asked: Asked, actor: Actor, person: User) -> HttpResponse:
        """For the whole organization, by somebody who may; what the person lets the app do comes next.
        What was authorized before stays so, and a limit to some roles as well; what somebody else has
        decided since the page was shown is not overruled."""
        row = queries.authorization_of(actor.organization, asked.client)
        chosen = consent_page.chosen(request.POST)
        if chosen and row is not None:
            chosen += scopes.meet(row.scope, asked.client.scope)
        try:
            authorizations.approve(
                actor=actor,
                client_id=asked.client.id,
                scope=chosen,
                roles=row.roles if row else [],
                version=consent_page.seen_version(request.POST),
            )
        except DomainError as error:
            standing = stand(person, asked, consents.of(person, asked.client))
            return self.page(request, asked, actor, standing, problem=str(error.message))
        return HttpResponseRedirect(request.get_full_path())

    def page(
        self, request: HttpRequest, asked: Asked, actor: Actor, standing: Standing, problem: str = ""
    ) -> HttpResponse:
        may_authorize = bool(actor.access.decide(Permission.OAUTH_CLIENT_AUTHORIZE))
        if standing.barrier:
            state = "agree"
        elif standing.barrier.code == ROLE_LIMIT:
            state = "role"
        else:
            state = "approve" if may_authorize else "ask"
        return consent_page.consent(
            request, asked, state=state, standing=standing, actor=actor, problem=problem
        )

    # --- Errors ----------------------------------------------------------------------------------

    def unless_silent(self, asked: Asked, error: type[OAuth2Error]) -> None:
        """Before anything that would show a page."""
        if "none" in asked.prompt:
            raise error

    def refuse(self, error: OAuth2Error, asked: Asked | None = None) -> HttpResponse:
        """To the app, where it looks for it: query or fragment; with `state`, and `iss` (RFC 9207)."""
        uri = asked.redirect_uri if asked else error.redirect_uri
        state = asked.state if asked else error.state
        kind = asked.response_type if asked else error.response_type
        parameters = [("error", error.error)]
        if error.description:
            parameters.append(("error_description", error.description))
        if state:
            parameters.append(("state", state))
        parameters.append(("iss", home_region.issuer(self.request.get_host())))
        return _to_app(add_params_to_uri(uri, parameters, fragment=kind == "token"), uri)


def stand(person: User, asked: Asked, consent: Consent | None) -> Standing:
    """Reads everything that decides, now."""
    access = account_queries.access_of(person.organization_id, person.id)
    word = queries.word_on(person.organization, asked.client)
    wanted = asked.client.scope if asked.scope is None else asked.scope
    permitted, found = grantable(access, word=word, asked=asked.client.scope, wanted=wanted)
    return Standing(
        word=word,
        barrier=found,
        permitted=permitted,
        new=scopes.not_covered(permitted, consent.scope if consent else []),
        known=consent is not None and redirect_uris.place_of(asked.redirect_uri) in consent.places,
    )


def still_signed_in(request: HttpRequest, person: User) -> bool:
    """Locks the person until the caller's transaction ends, and looks once more: a new password, or a
    deactivation, that came since the request began has ended this session."""
    now = lock_person(person.id)
    return (
        now is not None
        and now.is_active
        and constant_time_compare(request.session.get(HASH_SESSION_KEY, ""), now.get_session_auth_hash())
    )


def session_digest(request: HttpRequest) -> str:
    key = request.session.session_key
    return hashlib.sha256(key.encode()).hexdigest() if key else ""


def continuing_to(address: str) -> dict[str, str]:
    """What the sign-in page says about where it leads: the app's name and the email that it hints at; and
    what the form may lead to, when nothing needs to be asked after it. For accounts/sign_in, which knows
    nothing of apps (settings, SIGN_IN_LEADS_TO)."""
    parts = urlsplit(address)
    if parts.path != reverse("authorize"):
        return {}
    query = parse_qs(parts.query)
    client = queries.live_client(client_key(query.get("client_id", [""])[0]))
    hint = query.get("login_hint", [""])[0].split(":")[0]
    registered = client.redirect_uri_list if client is not None else []
    # An app with a single one need not name it.
    uri = query.get("redirect_uri", registered if len(registered) == 1 else [""])[0]
    known = any(redirect_uris.matches(one, uri) for one in registered)
    return {
        "app": client.name if client else "",
        "email": hint if "@" in hint and len(hint) <= 254 else "",
        "org": query.get("org", [""])[0],
        "fresh": "1" if "login" in query.get("prompt", [""])[0].split() else "",
        "form_action": consent_page.form_action(uri) if known else "",
    }


def _by(issuer: str, uri: str) -> str:
    """An answer in the name of this issuer (RFC 9207). The toolkit knows one, and puts it at the end."""
    only = urlencode({"iss": settings.OAUTH2_PROVIDER["OIDC_ISS_ENDPOINT"]})
    return uri.removesuffix(only) + urlencode({"iss": issuer}) if uri.endswith(only) else uri


def _to_app(uri: str, redirect_uri: str) -> HttpResponse:
    """By GET, whatever the method was (RFC 9700 4.12), and only ever to a redirect URI that was checked."""
    response = OAuth2ResponseRedirect(uri, [urlsplit(redirect_uri).scheme])
    response.status_code = 303
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"
    return response


def _plain(name: str) -> str:
    """The characters that RFC 6749 allows in a description."""
    return re.sub(r"[^\x20-\x21\x23-\x5b\x5d-\x7e]", "?", name)[:40]
