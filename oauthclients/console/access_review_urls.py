"""Oversight > Access review, under /admin/access-review/."""

from django.urls import path

from oauthclients.console import access_review

urlpatterns = [
    path("", access_review.page, name="access-review"),
    path("access-review.csv", access_review.csv, name="access-review-csv"),
]
