"""Admin > People and Permissions > Roles, under /admin/roles/."""

from django.urls import path

from oauthclients.console import roles, roles_editor

urlpatterns = [
    path("", roles.role_list, name="roles"),
    path("new/", roles_editor.new, name="role-new"),
    path("restore/", roles.restore_all, name="roles-restore"),
    path("<uuid:role_id>/", roles.role, name="role"),
    path("<uuid:role_id>/edit/", roles_editor.edit, name="role-edit"),
    path("<uuid:role_id>/copy/", roles_editor.copy, name="role-copy"),
    path("<uuid:role_id>/restore/", roles.restore, name="role-restore"),
    path("<uuid:role_id>/delete/", roles.delete, name="role-delete"),
]
