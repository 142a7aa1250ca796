"""Where each address leads. API paths have no trailing slash (wire contract, fact 11), pages have one."""

from django.urls import include, path

from accounts.console import preferences
from config import views
from oauthclients.api.schema import document
from oauthclients.api.views import NoSuchRoute
from oauthclients.authorization_server.leaving import leave
from oauthclients.authorization_server.metadata import metadata
from oauthclients.console.why import why

urlpatterns = [
    # First, for they are asked for most.
    path("oauth/", include("oauthclients.authorization_server.urls")),
    path("api/v2", NoSuchRoute.as_view()),  # else Django would redirect to it with a slash
    path("api/v2/", include("oauthclients.api.urls")),
    path("", views.start, name="start"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("theme/", views.theme, name="theme"),
    path("language/", views.language, name="language"),
    path("admin/", views.admin_home, name="admin-home"),
    path("admin/integrations/oauth/", include("oauthclients.console.urls")),
    path("admin/organization/settings/", include("oauthclients.console.organization_urls")),
    path("admin/single-sign-on/", include("accounts.console.single_sign_on_urls")),
    path("admin/integrations/authorized-applications/", include("oauthclients.console.authorized_urls")),
    path("admin/integrations/why/", why, name="oauth-why"),
    path("admin/people/", include("oauthclients.console.people_urls")),
    path("admin/roles/", include("oauthclients.console.roles_urls")),
    path("admin/divisions/", include("oauthclients.console.divisions_urls")),
    path("admin/access-review/", include("oauthclients.console.access_review_urls")),
    path("account/preferences/", preferences.page, name="preferences"),
    path("admin/audit/", include("oauthclients.console.audit_urls")),
    path("account/apps/", include("oauthclients.console.your_apps_urls")),
    path("", include("accounts.sign_in.urls")),
    path("logout", leave, name="logout"),
    path(".well-known/oauth-authorization-server", metadata, name="metadata"),
    path("api/schema", document, name="api-schema"),
    path("api/explorer/", include("oauthclients.console.explorer_urls")),
]

handler400 = "config.views.bad_request"
handler403 = "config.views.not_allowed"
handler404 = "config.views.not_found"
handler500 = "config.views.server_error"
