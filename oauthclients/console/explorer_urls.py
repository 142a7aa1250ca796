"""Developers > API Explorer, under /api/explorer/."""

from django.urls import path

from oauthclients.console import api_explorer

urlpatterns = [
    path("", api_explorer.explore, name="api-explorer"),
    path("set-up/", api_explorer.set_up, name="api-explorer-set-up"),
    path("signed-in/", api_explorer.signed_in, name="api-explorer-signed-in"),
]
