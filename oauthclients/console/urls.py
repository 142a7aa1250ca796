"""Integrations > OAuth, under /admin/integrations/oauth/."""

from django.urls import path

from oauthclients.console import (
    check_assertion,
    client_list,
    client_pages,
    client_refusals,
    edit,
    pasted_token,
    secret_page,
    secret_pages,
    trying_out,
    usage_pages,
    wizard,
)

urlpatterns = [
    path("", client_list.client_list, name="oauth-clients"),
    path("add/", wizard.start, name="oauth-client-add"),
    path("add/<uuid:draft_id>/discard/", wizard.discard, name="oauth-client-add-discard"),
    path("add/<uuid:draft_id>/leave/", wizard.leave, name="oauth-client-add-leave"),
    path("add/<uuid:draft_id>/<slug:step>/", wizard.step, name="oauth-client-add-step"),
    path("<uuid:client_id>/", client_pages.client, name="oauth-client"),
    path("<uuid:client_id>/check-assertion/", check_assertion.check, name="oauth-client-check-assertion"),
    path("<uuid:client_id>/edit/", edit.edit_client, name="oauth-client-edit"),
    path("<uuid:client_id>/usage/", usage_pages.usage, name="oauth-client-usage"),
    path("<uuid:client_id>/usage.csv", usage_pages.usage_csv, name="oauth-client-usage-csv"),
    path("<uuid:client_id>/refusals/", client_refusals.refusals, name="oauth-client-refusals"),
    path("<uuid:client_id>/secret/", secret_pages.generate, name="oauth-client-secret"),
    path("<uuid:client_id>/secret/end/", secret_pages.end, name="oauth-client-secret-end"),
    path("test-result/", trying_out.landing, name="oauth-test-landing"),
    path("<uuid:client_id>/test-token/", trying_out.try_out, name="oauth-client-test"),
    path("<uuid:client_id>/token/", pasted_token.create, name="oauth-client-token"),
    path("<uuid:client_id>/finish/", secret_page.finish, name="oauth-client-finish"),
    path("<uuid:client_id>/disable/", client_pages.disable, name="oauth-client-disable"),
    path("<uuid:client_id>/enable/", client_pages.enable, name="oauth-client-enable"),
    path("<uuid:client_id>/delete/", client_pages.delete, name="oauth-client-delete"),
    path("<uuid:client_id>/restore/", client_pages.restore, name="oauth-client-restore"),
]
