"""Where each address leads. API paths have no trailing slash (wire contract, fact 11), pages have one."""

from django.urls import include, path, re_path

from config import views

urlpatterns = [
    path("", views.start, name="start"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("theme/", views.theme, name="theme"),
    path("admin/", views.admin_home, name="admin-home"),
    path("admin/integrations/oauth/", include("oauthclients.console.urls")),
    path("", include("accounts.sign_in.urls")),
    path("oauth/", include("oauthclients.authorization_server.urls")),
    # Without the slash as well, which Django would answer with a redirect.
    re_path(r"^api/v2(?:/|$)", include("oauthclients.api.urls")),
]

handler400 = "config.views.bad_request"
handler403 = "config.views.not_allowed"
handler404 = "config.views.not_found"
handler500 = "config.views.server_error"
