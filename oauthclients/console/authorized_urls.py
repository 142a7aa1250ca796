"""Integrations > Authorized Applications, under /admin/integrations/authorized-applications/."""

from django.urls import path

from oauthclients.console import authorized_app, authorized_apps

urlpatterns = [
    path("", authorized_apps.app_list, name="authorized-applications"),
    path("authorize/", authorized_apps.find, name="authorized-application-find"),
    path("<uuid:client_id>/", authorized_app.app, name="authorized-application"),
    path("<uuid:client_id>/decline/", authorized_app.decline, name="authorized-application-decline"),
    path("<uuid:client_id>/revoke/", authorized_app.revoke, name="authorized-application-revoke"),
]
