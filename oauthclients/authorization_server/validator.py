"""What oauthlib asks while it decides about a request. Replaces the parts of django-oauth-toolkit's
validator that know secrets, codes, scopes and storage; the rest stays the toolkit's."""

from __future__ import annotations

import logging
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from oauth2_provider.models import get_grant_model
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauthlib.oauth2.rfc6749.errors import (
    InvalidGrantError,
    InvalidScopeError,
    UnauthorizedClientError,
)
from oauthlib.oauth2.rfc6749.utils import scope_to_list

from accounts import rates
from oauthclients import grant_types, queries
from oauthclients import scopes as scope_catalogue
from oauthclients.authorization_server.client_authentication import sent_in
from oauthclients.authorization_server.errors import SlowDown
from oauthclients.authorization_server.server import at_token_endpoint, sign_in_of
from oauthclients.models import Client, ClientSecret
from oauthclients.rules import home_region, redirect_uris, token_life
from oauthclients.services import access, families, secrets, tokens, usage, vouching

log = logging.getLogger(__name__)

_NOBODY = uuid.UUID(int=0)
NO_IMPLICIT = "The organization does not allow the implicit grant."


class Validator(OAuth2Validator):
    # --- Which client is this -------------------------------------------------------------------

    def client_authentication_required(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        """Always, but for one who exchanges a code with PKCE and sends no credentials at all: it proves to
        be whoever asked for the code (RFC 7636). A secret that was sent must be right."""
        if sent_in(request) is not None:
            return True
        return not (request.grant_type == "authorization_code" and request.code_verifier)

    def authenticate_client(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        """One statement, whether the client exists or not."""
        sent = sent_in(request)
        if sent is None:
            return False
        now = datetime.now(UTC)
        secret = secrets.find(client_key(sent.client_id), sent.secret, now)
        if secret is None or secret.client.gone(now):
            return False
        if not home_region.may_get_tokens_at(secret.client, _host(request)):
            # On the wire no other answer than to a wrong secret (wire contract B4).
            log.info("client %s asked away from its home region, at %s", sent.client_id, _host(request))
            return False
        if not secret.client.gives_tokens():
            # Said only to somebody who knows the secret.
            raise UnauthorizedClientError(description="This client is not active.", request=request)
        if self._is_grant_of(secret.client, request.grant_type):
            self._count(secret.client)
        self._let_in(secret.client, request)
        request.used_secret = secret
        return True

    def authenticate_client_id(self, client_id: str, request: Any, *args: Any, **kwargs: Any) -> bool:
        """A client that only says who it is. Whether that is enough is for `validate_code` to say; until
        then a client that is off is as unknown as one that does not exist, and nothing is counted."""
        client = queries.live_client(client_key(client_id or ""))
        if client is None or not client.gives_tokens():
            return False
        if client.authorization_grant_type != grant_types.CODE.code:
            return False
        self._let_in(client, request)
        return True

    def _let_in(self, client: Client, request: Any) -> None:
        request.client = client
        request.client_id = client.client_id
        request.client_secret = None

    def _count(self, client: Client) -> None:
        issued = rates.Window("tokens", client.client_id, settings.RATE_TOKENS_PER_CLIENT)
        if seconds := issued.wait():
            raise SlowDown(seconds)

    def validate_client_id(self, client_id: str, request: Any, *args: Any, **kwargs: Any) -> bool:
        """At the authorization endpoint."""
        client = queries.live_client(client_key(client_id))
        if client is None or not client.gives_tokens():
            return False
        request.client = client
        return True

    def validate_grant_type(
        self, client_id: str, grant_type: str, client: Client, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        return self._is_grant_of(client, grant_type)

    def _is_grant_of(self, client: Client, grant_type: str) -> bool:
        return grant_type in grant_types.BY_CODE[client.authorization_grant_type].grant_types

    def validate_response_type(
        self, client_id: str, response_type: str, client: Client, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        """An organization can switch the implicit grant off for its clients; for its people, the
        authorization endpoint looks once it knows who they are."""
        if response_type != grant_types.BY_CODE[client.authorization_grant_type].response_type:
            return False
        if response_type == "token" and not client.organization.implicit_allowed:
            raise UnauthorizedClientError(description=NO_IMPLICIT, request=request)
        return True

    # --- Redirect URIs and scopes ---------------------------------------------------------------

    def validate_redirect_uri(
        self, client_id: str, redirect_uri: str, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        return any(redirect_uris.matches(one, redirect_uri) for one in request.client.redirect_uri_list)

    def get_default_redirect_uri(
        self, client_id: str, request: Any, *args: Any, **kwargs: Any
    ) -> str | None:
        """The one of the code at hand, or the only one that is registered (RFC 6749 3.1.2.3)."""
        sign_in = sign_in_of(request)
        if sign_in is not None and sign_in.code is not None:
            uri: str = sign_in.code.redirect_uri
            return uri
        registered = request.client.redirect_uri_list
        return registered[0] if len(registered) == 1 else None

    def validate_scopes(
        self, client_id: str, scopes: Any, client: Any, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        """At the authorization endpoint, those asked for must be the client's. To client credentials scopes
        do not apply: their power is the client's role-division pairs (wire contract B3), so a `scope`
        that was sent is not looked at."""
        if at_token_endpoint(request):
            request.scopes = []
            return True
        return not scope_catalogue.not_covered(scopes or [], client.scope)

    def is_pkce_required(self, client_id: str, request: Any) -> bool:
        """Either a secret or PKCE proves that the one who exchanges a code is the one who asked for it;
        `validate_code` refuses an exchange with neither."""
        return False

    # --- Authorization codes ---------------------------------------------------------------------

    def save_authorization_code(
        self, client_id: str, code: dict[str, str], request: Any, *args: Any, **kwargs: Any
    ) -> None:
        """Runs inside the transaction of authorization_server/authorize.py, which put `decision` on the
        request and holds the lock on the person's consent."""
        now = timezone.now()
        digest = tokens.digest(code["code"])
        families.start(
            consent=request.decision.consent,
            scope=request.scopes,
            now=now,
            code_digest=digest,
            code_challenge=request.code_challenge or "",
            redirect_uri_given=request.decision.redirect_uri_given,
            session_digest=request.decision.session_digest,
        )
        get_grant_model().objects.create(
            application=request.client,
            user=request.user,
            code=digest,
            expires=now + timedelta(seconds=settings.OAUTH2_PROVIDER["AUTHORIZATION_CODE_EXPIRE_SECONDS"]),
            redirect_uri=request.redirect_uri,
            scope=" ".join(request.scopes),
            code_challenge=request.code_challenge or "",
            code_challenge_method=request.code_challenge_method or "",
        )

    def validate_code(
        self, client_id: str, code: str, client: Client, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        """Whether this client may exchange this code, with this redirect URI and this proof."""
        sign_in = families.of_code(
            client=client,
            code=code,
            by_secret=request.used_secret is not None,
            verifier=request.code_verifier,
            now=timezone.now(),
        )
        if sign_in is None or sign_in.code is None or not self._secret_still_works(request):
            return False
        challenged = bool(sign_in.code.code_challenge)
        if request.used_secret is None and not challenged:
            return False
        if request.code_verifier and not challenged:
            return False  # a downgrade: the challenge was taken out on the way here (RFC 9700 4.8.2)
        sent = request.redirect_uri
        if sent != sign_in.code.redirect_uri and (sent is not None or sign_in.family.redirect_uri_given):
            return False
        if request.used_secret is None and families.proves(
            request.code_verifier, sign_in.code.code_challenge
        ):
            self._count(client)
        request.sign_in = sign_in
        request.user = sign_in.person
        request.scopes = sign_in.agreed
        return True

    def get_code_challenge(self, code: str, request: Any) -> str | None:
        return request.sign_in.code.code_challenge or None

    def get_code_challenge_method(self, code: str, request: Any) -> str | None:
        return request.sign_in.code.code_challenge_method or None

    def confirm_redirect_uri(
        self, client_id: str, code: str, redirect_uri: str, client: Client, *args: Any, **kwargs: Any
    ) -> bool:
        return True  # `validate_code` has, with the error that RFC 6749 5.2 wants

    def invalidate_authorization_code(
        self, client_id: str, code: str, request: Any, *args: Any, **kwargs: Any
    ) -> None:
        """`save_bearer_token` has, before there was a token."""

    # --- Refresh tokens --------------------------------------------------------------------------

    def validate_refresh_token(
        self, refresh_token: str, client: Client, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        wanted = scope_to_list(request.scope) if request.scope else None
        sign_in = families.of_refresh_token(
            client=client, value=refresh_token, wanted=wanted, now=timezone.now()
        )
        if sign_in is None or not self._secret_still_works(request):
            return False
        request.sign_in = sign_in
        request.user = sign_in.person
        return True

    def _secret_still_works(self, request: Any) -> bool:
        return request.used_secret is None or secrets.still_works(request.used_secret, timezone.now())

    def get_original_scopes(self, refresh_token: str, request: Any, *args: Any, **kwargs: Any) -> list[str]:
        return list(request.sign_in.agreed)

    def is_within_original_scope(
        self, request_scopes: list[str], refresh_token: str, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        return not scope_catalogue.not_covered(request_scopes, request.sign_in.agreed)

    def rotate_refresh_token(self, request: Any) -> bool:
        return True

    # --- SAML assertions -------------------------------------------------------------------------

    def validate_assertion(
        self, assertion: str, org_name: str, scope: str | None, client: Client, request: Any
    ) -> None:
        """Puts on the request for whom an identity provider vouches. Raises `InvalidGrantError`, and
        `InvalidScopeError` for a scope that the client has not."""
        wanted = scope_to_list(scope) if scope else None
        if wanted and scope_catalogue.not_covered(wanted, client.scope):
            raise InvalidScopeError(request=request)
        try:
            request.sign_in = vouching.exchange(
                client=client,
                org_name=org_name,
                text=assertion,
                wanted=wanted,
                now=timezone.now(),
                still_proven=lambda: self._secret_still_works(request),
            )
        except vouching.NotVouchedFor as refused:
            raise InvalidGrantError(description=str(refused), request=request) from refused
        request.user = request.sign_in.person
        request.scopes = request.sign_in.agreed

    # --- Tokens ----------------------------------------------------------------------------------

    def save_bearer_token(self, token: Any, request: Any, *args: Any, **kwargs: Any) -> None:
        """For client credentials one INSERT: the toolkit's own would read the token back and wrap the one
        statement into a transaction. Codes, refreshes and implicit answers run in one already."""
        now = datetime.now(UTC)
        sign_in = sign_in_of(request)
        if not at_token_endpoint(request):
            self._save_implicit(token, request)
        elif sign_in is not None:
            self._save_for_person(token, request, sign_in)
        else:
            self._issue(token, request)
        secret = vars(request).get("used_secret")
        if at_token_endpoint(request) and sign_in is None:
            self._used(request, now, secret)
        else:
            transaction.on_commit(lambda: self._used(request, now, secret))

    def _used(self, request: Any, now: datetime, secret: ClientSecret | None) -> None:
        client = request.client
        here = client.organization if request.user is None else request.user.organization
        usage.client_used(client, now, secret)
        usage.count(
            organization_id=here.id,
            client_id=client.id,
            method="POST",
            route="/oauth/token" if at_token_endpoint(request) else "/oauth/authorize",
            status=200,
            now=now,
        )

    def _save_implicit(self, token: Any, request: Any) -> None:
        decision = request.decision
        family = families.start(
            consent=decision.consent,
            scope=request.scopes,
            now=timezone.now(),
            session_digest=decision.session_digest,
        )
        self._issue(token, request, user=request.user, family=family)

    def _save_for_person(self, token: Any, request: Any, sign_in: families.SignIn) -> None:
        if sign_in.resent is not None:
            return  # the answer of a moment ago once more
        if sign_in.code is not None and not families.spend(sign_in, timezone.now()):
            raise InvalidGrantError(request=request)
        access_token = self._issue(
            token, request, user=sign_in.person, family=sign_in.family, clock=sign_in.clock
        )
        if "refresh_token" in token:
            families.keep_refresh_token(
                sign_in=sign_in,
                client=request.client,
                value=token["refresh_token"],
                access_token=access_token,
                now=timezone.now(),
            )

    def _issue(self, token: Any, request: Any, **more: Any) -> Any:
        if token["expires_in"] <= token_life.LONGEST:
            return self._write(token, request, **more)
        # Whoever takes the long duration away shortens the tokens that are there (services/clients.py):
        # this one is there by then, or gets what the client has by then.
        with transaction.atomic():
            access.hold(request.client)
            request.client.refresh_from_db(fields=["token_seconds"])
            token["expires_in"] = min(token["expires_in"], token_life.seconds_for(request.client))
            return self._write(token, request, **more)

    def _write(self, token: Any, request: Any, **more: Any) -> Any:
        return tokens.issue(
            client=request.client,
            value=token["access_token"],
            seconds=token["expires_in"],
            scope=request.scopes,
            **{"user": None, **more},
        )


def client_key(client_id: str) -> uuid.UUID:
    """The key to look for. Anything that is not an id as we write them is nobody's: the statement runs
    all the same, so that the time does not tell."""
    try:
        key = uuid.UUID(client_id)
    except ValueError:
        return _NOBODY
    return key if str(key) == client_id else _NOBODY


def _host(request: Any) -> str:
    """The host that the request names, which Django has compared with `ALLOWED_HOSTS`."""
    host: str = request.headers.get("HTTP_HOST") or request.headers.get("SERVER_NAME", "")
    return host
