"""Signing in and out."""

from django.urls import path, re_path

from accounts.sign_in import invitation, single_logout, sso, views

urlpatterns = [
    path("sign-in/", views.sign_in, name="sign-in"),
    path("sign-in/with/<uuid:provider_id>/", sso.leave_for, name="sso"),
    path("saml", sso.acs, name="saml-acs"),
    re_path(r"^saml/finish/(?P<id>_[0-9a-f]{32})/\Z", sso.finish, name="sso-finish"),
    path("saml/logout", single_logout.single_logout, name="saml-logout"),
    path("saml/metadata/<uuid:provider_id>", sso.metadata, name="saml-metadata"),
    path("sign-out/", single_logout.sign_out, name="sign-out"),
    path("confirm-password/", views.confirm_password, name="confirm-password"),
    path("invitation/", invitation.choose, name="invitation-choose"),
    path("invitation/<uuid:invitation_id>/<str:secret>/", invitation.follow, name="invitation"),
]
