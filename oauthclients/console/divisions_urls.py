"""Admin > People and Permissions > Divisions, under /admin/divisions/."""

from django.urls import path

from oauthclients.console import divisions, divisions_move, divisions_questions

urlpatterns = [
    path("", divisions.division_list, name="divisions"),
    path("new/", divisions_questions.new, name="division-new"),
    path("<uuid:division_id>/edit/", divisions_questions.edit, name="division-edit"),
    path("<uuid:division_id>/move/", divisions_move.move, name="division-move"),
    path("<uuid:division_id>/delete/", divisions_questions.delete, name="division-delete"),
    path("<uuid:division_id>/restore/", divisions_questions.restore, name="division-restore"),
]
