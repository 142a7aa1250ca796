"""Signing in and out."""

from django.urls import path

from accounts.sign_in import views

urlpatterns = [
    path("sign-in/", views.sign_in, name="sign-in"),
    path("sign-out/", views.sign_out, name="sign-out"),
    path("confirm-password/", views.confirm_password, name="confirm-password"),
]
