"""The routes of `/api/v2`, without a slash at the end (wire contract, fact 11)."""

from __future__ import annotations

from django.urls import path, re_path

from accounts.rules.provider_spec import SLOTS
from oauthclients.api import (
    authorization,
    identity_providers,
    oauth_authorizations,
    oauth_clients,
    oauth_scopes,
    organizations,
    tokens,
    tokens_timeout,
    users,
)
from oauthclients.api.views import NoSuchRoute

urlpatterns = [
    path("oauth/clients", oauth_clients.Clients.as_view()),
    path("oauth/clients/<str:client_id>", oauth_clients.OneClient.as_view()),
    path("oauth/clients/<str:client_id>/secret", oauth_clients.ClientSecret.as_view()),
    path("oauth/scopes", oauth_scopes.Scopes.as_view()),
    path("oauth/scopes/<str:scope_id>", oauth_scopes.OneScope.as_view()),
    path("oauth/authorizations", oauth_authorizations.Authorizations.as_view()),
    path("oauth/authorizations/<str:client_id>", oauth_authorizations.OneAuthorization.as_view()),
    path("users", users.Users.as_view()),
    path("users/me", users.Me.as_view()),
    path("users/query", users.UsersByCursor.as_view()),
    path("users/search", users.UserSearch.as_view()),
    path("users/<str:user_id>", users.OneUser.as_view()),
    path("tokens/me", tokens.OwnToken.as_view()),
    path("tokens/timeout", tokens_timeout.IdleTokenTimeout.as_view()),
    path("tokens/<str:user_id>", tokens.TokensOfPerson.as_view()),
    path("organizations/authentication/settings", organizations.AuthenticationSettings.as_view()),
    path("organizations/features/<str:feature_name>", organizations.Feature.as_view()),
    path("organizations/me", organizations.OwnOrganization.as_view()),
    path("authorization/divisions", authorization.ManyDivisions.as_view()),
    path("authorization/divisions/home", authorization.HomeDivision.as_view()),
    path("authorization/divisions/limit", authorization.DivisionLimit.as_view()),
    path("authorization/divisions/<str:division_id>", authorization.OneDivision.as_view()),
    path("authorization/divisionspermitted/me", authorization.DivisionsPermitted.as_view()),
    path("authorization/divisionspermitted/paged/me", authorization.DivisionsPermittedPaged.as_view()),
    path("authorization/permissions", authorization.Permissions.as_view()),
    path("authorization/roles", authorization.Roles.as_view()),
    path("authorization/roles/<str:role_id>", authorization.OneRole.as_view()),
    path("authorization/subjects/me", authorization.OwnSubject.as_view()),
    path("authorization/subjects/<str:subject_id>", authorization.OneSubject.as_view()),
    path("identityproviders", identity_providers.Providers.as_view()),
    path("identityproviders/purecloud", identity_providers.PasswordSignIn.as_view()),
    *(
        path(f"identityproviders/{slot}", identity_providers.NamedProvider.as_view(slot=slot))
        for slot in SLOTS
    ),
    path("identityproviders/<str:provider_id>", identity_providers.OneProvider.as_view()),
    re_path(r"", NoSuchRoute.as_view()),
]
