"""Your apps, under /account/apps/."""

from django.urls import path

from oauthclients.console import your_apps

urlpatterns = [
    path("", your_apps.app_list, name="your-apps"),
    path("<uuid:consent_id>/revoke/", your_apps.revoke, name="your-app-revoke"),
]
