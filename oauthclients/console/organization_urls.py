"""Account > Organization Settings, under /admin/organization/settings/."""

from django.urls import path

from oauthclients.console import organization_settings

urlpatterns = [
    path("", organization_settings.settings_page, name="organization-settings"),
    path("name/", organization_settings.name, name="organization-name"),
    path("language/", organization_settings.language, name="organization-language"),
    path("time-zone/", organization_settings.time_zone, name="organization-time-zone"),
    path("hipaa/", organization_settings.hipaa, name="organization-hipaa"),
    path("idle-timeout/", organization_settings.idle_timeout, name="organization-idle-timeout"),
    path("idle-exclusions/", organization_settings.idle_exclusions, name="organization-idle-exclusions"),
    path("enforce-scopes/", organization_settings.enforce_scopes, name="organization-enforce-scopes"),
    path("implicit-grant/", organization_settings.implicit_grant, name="organization-implicit-grant"),
    path("token-duration/", organization_settings.token_duration, name="organization-token-duration"),
    path("home-region/", organization_settings.home_region, name="organization-home-region"),
]
