"""Admin > People and Permissions > People."""

from __future__ import annotations

from django.urls import path

from oauthclients.console import people_edit, people_list, people_pages, people_roles
from oauthclients.console import people_questions as questions

urlpatterns = [
    path("", people_list.people_list, name="people"),
    path("add/", people_edit.add, name="person-add"),
    path("<uuid:user_id>/", people_pages.profile, name="person"),
    path("<uuid:user_id>/permissions/", people_pages.permissions, name="person-permissions"),
    path("<uuid:user_id>/apps/", people_pages.apps, name="person-apps"),
    path("<uuid:user_id>/activity/", people_pages.activity, name="person-activity"),
    path("<uuid:user_id>/roles/", people_roles.roles, name="person-roles"),
    path("<uuid:user_id>/roles/take-over/", people_roles.take_over, name="person-roles-take-over"),
    path("<uuid:user_id>/edit/", people_edit.edit, name="person-edit"),
    path("<uuid:user_id>/activate/", questions.activate, name="person-activate"),
    path("<uuid:user_id>/deactivate/", questions.deactivate, name="person-deactivate"),
    path("<uuid:user_id>/delete/", questions.delete, name="person-delete"),
    path("<uuid:user_id>/restore/", questions.restore, name="person-restore"),
    path("<uuid:user_id>/move/", questions.move, name="person-move"),
    path("<uuid:user_id>/invite/", questions.invite, name="person-invite"),
    path("<uuid:user_id>/apps/revoke-all/", questions.revoke_tokens, name="person-tokens-revoke"),
    path(
        "<uuid:user_id>/apps/<uuid:consent_id>/revoke/",
        questions.revoke_app,
        name="person-app-revoke",
    ),
]
