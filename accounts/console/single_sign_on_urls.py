"""Account > Single Sign-on, under /admin/single-sign-on/."""

from django.urls import path

from accounts.console import check_assertion, single_sign_on, single_sign_on_provider
from accounts.sign_in import sso

urlpatterns = [
    path("", single_sign_on.providers, name="single-sign-on"),
    path("metadata.xml", single_sign_on.metadata, name="single-sign-on-metadata"),
    path("only-sso/", single_sign_on.only_sso, name="single-sign-on-only"),
    path("only-sso/keeper/", single_sign_on.keeper, name="single-sign-on-keeper"),
    path("check/", check_assertion.check, name="check-assertion"),
    path("new/", single_sign_on_provider.new, name="single-sign-on-new"),
    path("<uuid:provider_id>/", single_sign_on_provider.provider, name="single-sign-on-provider"),
    path("<uuid:provider_id>/test/", sso.test, name="test-sign-in"),
    path("<uuid:provider_id>/delete/", single_sign_on_provider.delete, name="single-sign-on-delete"),
]
