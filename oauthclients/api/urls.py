"""The routes of `/api/v2`, without a slash at the end (wire contract, fact 11)."""

from __future__ import annotations

from django.urls import path, re_path

from accounts.rules.provider_spec import SLOTS
from oauthclients.api import (
    audits,
    authorization,
    authorization_divisions,
    authorization_grants,
    authorization_roles,
    explain,
    groups,
    identity_providers,
    oauth_authorizations,
    oauth_clients,
    oauth_scopes,
    oauth_usage,
    organizations,
    tokens,
    tokens_timeout,
    user_details,
    users,
)
from oauthclients.api.scim import urls as scim
from oauthclients.api.views import NoSuchRoute

urlpatterns = [
    path("oauth/clients", oauth_clients.Clients.as_view()),
    path("oauth/clients/<str:client_id>", oauth_clients.OneClient.as_view()),
    path("oauth/clients/<str:client_id>/secret", oauth_clients.ClientSecret.as_view()),
    path("oauth/clients/<str:client_id>/usage/query", oauth_usage.ClientQuery.as_view()),
    path(
        "oauth/clients/<str:client_id>/usage/query/results/<str:execution_id>",
        oauth_usage.ClientResults.as_view(),
    ),
    path("oauth/clients/<str:client_id>/usage/summary", oauth_usage.ClientSummary.as_view()),
    path("oauth/scopes", oauth_scopes.Scopes.as_view()),
    path("oauth/scopes/<str:scope_id>", oauth_scopes.OneScope.as_view()),
    path("oauth/authorizations", oauth_authorizations.Authorizations.as_view()),
    path("oauth/authorizations/<str:client_id>", oauth_authorizations.OneAuthorization.as_view()),
    path("usage/query", oauth_usage.OrganizationQuery.as_view()),
    path("usage/query/<str:execution_id>/results", oauth_usage.OrganizationResults.as_view()),
    path("usage/simplesearch", oauth_usage.SimpleSearch.as_view()),
    path("usage/simplesearch/<str:execution_id>/results", oauth_usage.SimpleSearchResults.as_view()),
    path("audits/query/realtime", audits.RealtimeQuery.as_view()),
    path("audits/query/realtime/servicemapping", audits.ServiceMapping.as_view()),
    path("users", users.Users.as_view()),
    path(
        "users/externalid/<str:authority_name>/<path:external_key>", user_details.UserByExternalId.as_view()
    ),
    path("users/me", users.Me.as_view()),
    path("users/me/password", user_details.OwnPassword.as_view()),
    path("users/query", users.UsersByCursor.as_view()),
    path("users/search", users.UserSearch.as_view()),
    path("users/<str:user_id>", users.OneUser.as_view()),
    path("users/<str:user_id>/externalid", user_details.ExternalIds.as_view()),
    path(
        "users/<str:user_id>/externalid/<str:authority_name>/<path:external_key>",
        user_details.OneExternalId.as_view(),
    ),
    path("users/<str:user_id>/invite", user_details.UserInvitation.as_view()),
    path("users/<str:user_id>/password", user_details.UserPassword.as_view()),
    path("users/<str:subject_id>/roles", authorization_grants.RolesOfPerson.as_view()),
    path("users/<str:user_id>/state", user_details.State.as_view()),
    path("tokens/me", tokens.OwnToken.as_view()),
    path("tokens/timeout", tokens_timeout.IdleTokenTimeout.as_view()),
    path("tokens/<str:user_id>", tokens.TokensOfPerson.as_view()),
    path("organizations/authentication/settings", organizations.AuthenticationSettings.as_view()),
    path("organizations/features/<str:feature_name>", organizations.Feature.as_view()),
    path("organizations/me", organizations.OwnOrganization.as_view()),
    path("authorization/divisions", authorization_divisions.ManyDivisions.as_view()),
    path("authorization/divisions/deleted", authorization_divisions.DeletedDivisions.as_view()),
    path("authorization/divisions/home", authorization_divisions.HomeDivision.as_view()),
    path("authorization/divisions/limit", authorization_divisions.DivisionLimit.as_view()),
    path("authorization/divisions/query", authorization_divisions.DivisionsByCursor.as_view()),
    path("authorization/divisions/<str:division_id>", authorization_divisions.OneDivision.as_view()),
    path(
        "authorization/divisions/<str:division_id>/grants", authorization_divisions.DivisionGrants.as_view()
    ),
    path(
        "authorization/divisions/<str:division_id>/objects/<str:object_type>",
        authorization_divisions.DivisionObjects.as_view(),
    ),
    path(
        "authorization/divisions/<str:division_id>/restore",
        authorization_divisions.RestoredDivision.as_view(),
    ),
    path("authorization/divisionspermitted/me", authorization.DivisionsPermitted.as_view()),
    path("authorization/divisionspermitted/paged/me", authorization.DivisionsPermittedPaged.as_view()),
    path(
        "authorization/divisionspermitted/paged/<str:subject_id>",
        authorization_grants.DivisionsPermittedToSubject.as_view(),
    ),
    path("authorization/permissions", authorization.Permissions.as_view()),
    path("authorization/roles", authorization_roles.Roles.as_view()),
    path("authorization/roles/default", authorization_roles.DefaultRoles.as_view()),
    path("authorization/roles/<str:role_id>", authorization_roles.OneRole.as_view()),
    path(
        "authorization/roles/<str:left_role_id>/comparedefault/<str:right_role_id>",
        authorization_roles.ComparedRole.as_view(),
    ),
    path("authorization/roles/<str:role_id>/subjectgrants", authorization_grants.HoldersOfRole.as_view()),
    path("authorization/roles/<str:role_id>/users", authorization_grants.PeopleWithRole.as_view()),
    path("authorization/roles/<str:role_id>/users/add", authorization_grants.RoleForPeople.as_view()),
    path("authorization/roles/<str:role_id>/users/remove", authorization_grants.RoleNotForPeople.as_view()),
    path("authorization/subjects/me", authorization_grants.OwnSubject.as_view()),
    path("authorization/subjects/rolecounts", authorization_grants.RoleCounts.as_view()),
    path("authorization/subjects/<str:subject_id>", authorization_grants.OneSubject.as_view()),
    path("authorization/subjects/<str:subject_id>/bulkadd", authorization_grants.AddedGrants.as_view()),
    path(
        "authorization/subjects/<str:subject_id>/bulkremove", authorization_grants.RemovedGrants.as_view()
    ),
    path(
        "authorization/subjects/<str:subject_id>/bulkreplace", authorization_grants.ReplacedGrants.as_view()
    ),
    path(
        "authorization/subjects/<str:subject_id>/divisions/<str:division_id>/roles/<str:role_id>",
        authorization_grants.OneGrant.as_view(),
    ),
    path("groups", groups.Groups.as_view()),
    path("groups/<str:group_id>", groups.OneGroup.as_view()),
    path("groups/<str:group_id>/individuals", groups.Individuals.as_view()),
    path("groups/<str:group_id>/members", groups.Members.as_view()),
    path("identityproviders", identity_providers.Providers.as_view()),
    path("identityproviders/purecloud", identity_providers.PasswordSignIn.as_view()),
    *(
        path(f"identityproviders/{slot}", identity_providers.NamedProvider.as_view(slot=slot))
        for slot in SLOTS
    ),
    path("identityproviders/<str:provider_id>", identity_providers.OneProvider.as_view()),
    path("latchkey/explain", explain.Explain.as_view()),
    *scim.urlpatterns,
    re_path(r"", NoSuchRoute.as_view()),
]
