"""`/.well-known/oauth-authorization-server` (RFC 8414), at the root of the server."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from accounts.rules import locale
from oauthclients import grant_types, scopes
from oauthclients.rules import home_region


@require_safe
@cache_control(public=True, max_age=3600)
def metadata(request: HttpRequest) -> JsonResponse:
    """What the server answers to, and no more. Any page may read it: it is what everybody may know. There
    is no OpenID Connect, and so no `/.well-known/openid-configuration`."""
    authenticated = ["client_secret_basic", "client_secret_post"]
    answered = [grant for grant in grant_types.GRANT_TYPES if grant.answered]
    issuer = home_region.issuer(request.get_host())
    here = f"{issuer}/oauth"
    return JsonResponse(
        {
            "issuer": issuer,
            "authorization_endpoint": f"{here}/authorize",
            "token_endpoint": f"{here}/token",
            "revocation_endpoint": f"{here}/revoke",
            "introspection_endpoint": f"{here}/introspect",
            "response_types_supported": sorted(
                grant.response_type for grant in answered if grant.response_type
            ),
            "response_modes_supported": ["query", "fragment"],
            "grant_types_supported": sorted(
                {
                    *(name for grant in answered for name in grant.grant_types),
                    *(["implicit"] if grant_types.IMPLICIT in answered else []),
                }
            ),
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": [*authenticated, "none"],
            "revocation_endpoint_auth_methods_supported": [*authenticated, "none"],
            "introspection_endpoint_auth_methods_supported": authenticated,
            "authorization_response_iss_parameter_supported": True,
            "prompt_values_supported": ["none", "login", "consent"],
            "scopes_supported": sorted(scopes.CATALOGUE),
            "ui_locales_supported": locale.languages(),
        },
        headers={"Access-Control-Allow-Origin": "*"},
    )
