"""People and Permissions: people, roles, divisions."""

from __future__ import annotations

from django.http import HttpResponse
from django.urls import reverse

from accounts.models import RoleGrant, User
from accounts.services import divisions, people
from oauthclients.models import Consent
from tests.oauthclients.services.test_authorizations import app, signed_in
from tests.screens.catalogue import screen
from tests.screens.scenes.clients import ONE_WORD
from tests.screens.stage import Stage


def person(who: User, action: str = "", *more: object) -> str:
    return reverse(f"person{action and '-'}{action}", args=[who.id, *more])


def gone(stage: Stage) -> User:
    leaver = stage.cast.person("Gone " + "W" * 60, stage.cast.east)
    people.delete(actor=stage.cast.actor(stage.cast.ada), user_id=leaver.id)
    return leaver


def drifted(stage: Stage) -> None:
    """What Ben and Eve hold was given by somebody who could not give it any more."""
    RoleGrant.objects.filter(subject_id__in=[stage.cast.ben.id, stage.cast.eve.id]).update(
        granted_by_id=stage.cast.cleo.id, granted_by_type="PC_USER"
    )


def nobody(stage: Stage, *permissions: str, where: object = None) -> User:
    """Somebody who may only this."""
    stage.cast.custom_role("Clerk", *permissions)
    clerk = stage.cast.person("Clara", stage.cast.home)
    stage.cast.give(clerk, ("Clerk", where))
    return clerk


# --- People --------------------------------------------------------------------------------------


@screen("people")
def people_some_of_whom_need_a_look(stage: Stage) -> HttpResponse:
    drifted(stage)
    stage.cast.person(
        "Wolfeschlegelsteinhausenbergerdorff " + "W" * 60, stage.cast.west, title="Head of " * 8
    )
    stage.cast.person("Ines", stage.cast.west, state="inactive")
    return stage.ada.get(reverse("people"))


@screen("people")
def people_that_nothing_matches(stage: Stage) -> HttpResponse:
    return stage.ada.get(reverse("people") + "?q=nobody")


@screen("people")
def people_none(stage: Stage) -> HttpResponse:
    return stage.as_(nobody(stage, "directory:user:view", where=stage.cast.west)).get(reverse("people"))


@screen("people")
def people_on_the_second_page(stage: Stage) -> HttpResponse:
    for number in range(30):
        stage.cast.person(f"Nils {number}", stage.cast.west)
    return stage.ada.get(reverse("people") + "?page=2")


@screen("person-add")
def person_to_be_added(stage: Stage) -> HttpResponse:
    return stage.ada.get(reverse("person-add"))


@screen("person-add")
def person_added_with_errors(stage: Stage) -> HttpResponse:
    return stage.ada.post(reverse("person-add"), {"name": "", "email": "nobody", "division": "x"})


@screen("person")
def person_profile(stage: Stage) -> HttpResponse:
    drifted(stage)
    return stage.ada.get(person(stage.cast.eve))


@screen("person")
def person_deleted(stage: Stage) -> HttpResponse:
    return stage.ada.get(person(gone(stage)))


@screen("person")
def person_inactive_seen_by_somebody_who_may_only_look(stage: Stage) -> HttpResponse:
    idle = stage.cast.person("Ines", stage.cast.west, state="inactive")
    return stage.as_(nobody(stage, "directory:user:view")).get(person(idle))


@screen("person-permissions")
def person_with_permissions(stage: Stage) -> HttpResponse:
    return stage.ada.get(person(stage.cast.ben, "permissions"))


@screen("person-permissions")
def person_without_permissions(stage: Stage) -> HttpResponse:
    return stage.ada.get(person(stage.cast.person("Nora", stage.cast.west), "permissions"))


@screen("person-apps")
def person_with_apps(stage: Stage) -> HttpResponse:
    signed_in(stage.cast.eve, app(stage.cast, name=ONE_WORD), scope=("users", "user-basic-info"))
    return stage.ada.get(person(stage.cast.eve, "apps"))


@screen("person-apps")
def person_without_apps(stage: Stage) -> HttpResponse:
    return stage.ada.get(person(stage.cast.eve, "apps"))


@screen("person-activity")
def person_activity(stage: Stage) -> HttpResponse:
    stage.send(stage.ada, person(stage.cast.eve, "edit"), form="edit", name="Evelyn", title="Lead")
    return stage.ada.get(person(stage.cast.eve, "activity"))


@screen("person-activity")
def person_activity_after_the_last_page(stage: Stage) -> HttpResponse:
    return stage.ada.get(person(stage.cast.eve, "activity") + "?before=2001-01-01T00:00:00Z")


@screen("person-roles")
def person_roles(stage: Stage) -> HttpResponse:
    drifted(stage)
    return stage.ada.get(person(stage.cast.ben, "roles"))


@screen("person-roles")
def person_roles_with_errors(stage: Stage) -> HttpResponse:
    supervisor = str(stage.cast.role("Supervisor").id)
    return stage.ada.post(person(stage.cast.ben, "roles"), {"role": [supervisor], "seen": ""})


@screen("person-roles")
def person_roles_for_somebody_who_may_give_few(stage: Stage) -> HttpResponse:
    cast = stage.cast
    cast.custom_role("Giver", "authorization:grant:add", "authorization:role:view", "directory:user:view")
    cast.give(cast.ben, ("Giver", cast.home), ("Supervisor", cast.home))
    return stage.ben.get(person(cast.ada, "roles"))


@screen("person-roles-take-over")
def person_roles_to_be_taken_over(stage: Stage) -> HttpResponse:
    drifted(stage)
    return stage.ada.get(person(stage.cast.eve, "roles-take-over"))


@screen("person-edit")
def person_edited(stage: Stage) -> HttpResponse:
    return stage.ada.get(person(stage.cast.eve, "edit"))


@screen("person-edit")
def person_edited_with_errors(stage: Stage) -> HttpResponse:
    return stage.send(
        stage.ada, person(stage.cast.eve, "edit"), form="edit", name="", email="x", hired_on="yesterday"
    )


@screen("person-edit")
def person_edited_by_two(stage: Stage) -> HttpResponse:
    opened = stage.ada.get(person(stage.cast.eve, "edit"))
    stage.cast.give(stage.cast.ben, ("Admin", None))
    stage.send(stage.ben, person(stage.cast.eve, "edit"), form="edit", name="Eva", title="Lead")
    return stage.send(stage.ada, opened, form="edit", name="Evelyn")


@screen("person-activate")
def person_to_be_activated(stage: Stage) -> HttpResponse:
    idle = stage.cast.person("Ines", stage.cast.west, state="inactive")
    return stage.ada.get(person(idle, "activate"))


@screen("person-deactivate")
def person_to_be_deactivated(stage: Stage) -> HttpResponse:
    signed_in(stage.cast.eve, app(stage.cast))
    return stage.ada.get(person(stage.cast.eve, "deactivate"))


@screen("person-delete")
def person_that_cannot_be_deleted(stage: Stage) -> HttpResponse:
    return stage.ada.post(person(stage.cast.ada, "delete"))


@screen("person-restore")
def person_to_be_restored(stage: Stage) -> HttpResponse:
    return stage.ada.get(person(gone(stage), "restore"))


@screen("person-move")
def person_to_be_moved(stage: Stage) -> HttpResponse:
    return stage.ada.get(person(stage.cast.eve, "move"))


@screen("person-invite")
def person_to_be_invited(stage: Stage) -> HttpResponse:
    stage.settings.MAIL_IS_SENT = False
    return stage.ada.get(person(stage.cast.eve, "invite"))


@screen("person-tokens-revoke")
def persons_tokens_to_be_revoked(stage: Stage) -> HttpResponse:
    signed_in(stage.cast.eve, app(stage.cast))
    return stage.ada.get(person(stage.cast.eve, "tokens-revoke"))


@screen("person-app-revoke")
def persons_app_to_be_revoked(stage: Stage) -> HttpResponse:
    signed_in(stage.cast.eve, app(stage.cast))
    return stage.ada.get(person(stage.cast.eve, "app-revoke", Consent.objects.get().id))


# --- Roles ---------------------------------------------------------------------------------------


def role(stage: Stage, name: str, action: str = "") -> str:
    return reverse(f"role{action and '-'}{action}", args=[stage.cast.role(name).id])


@screen("roles")
def roles_all(stage: Stage) -> HttpResponse:
    stage.cast.custom_role("W" * 60, "oauth:client:view")
    return stage.ada.get(reverse("roles"))


@screen("roles")
def roles_that_nothing_matches(stage: Stage) -> HttpResponse:
    return stage.ada.get(reverse("roles") + "?q=nothing&type=custom")


@screen("role-new")
def role_new(stage: Stage) -> HttpResponse:
    return stage.ada.get(reverse("role-new"))


@screen("role-new")
def role_new_with_errors(stage: Stage) -> HttpResponse:
    return stage.ada.post(reverse("role-new"), {"name": "Admin"})


@screen("role")
def role_shown(stage: Stage) -> HttpResponse:
    stage.cast.client(("Supervisor", None))
    return stage.ada.get(role(stage, "Supervisor"))


@screen("role")
def role_that_allows_nothing(stage: Stage) -> HttpResponse:
    stage.cast.custom_role(ONE_WORD[:50])
    return stage.ada.get(role(stage, ONE_WORD[:50]))


@screen("role-edit")
def role_edited(stage: Stage) -> HttpResponse:
    return stage.ada.get(role(stage, "Client Manager", "edit"))


@screen("role-edit")
def role_edited_where_holders_lose(stage: Stage) -> HttpResponse:
    return stage.send(
        stage.ada, role(stage, "Client Manager", "edit"), form="role", permission=["oauth:client:view"]
    )


@screen("role-edit")
def role_edited_by_two(stage: Stage) -> HttpResponse:
    opened = stage.ada.get(role(stage, "Client Manager", "edit"))
    stage.cast.give(stage.cast.ben, ("Admin", None))
    stage.send(
        stage.ben, role(stage, "Client Manager", "edit"), form="role", name="Ben's", description="His"
    )
    return stage.send(stage.ada, opened, form="role", name="Ada's")


@screen("role-copy")
def role_copied(stage: Stage) -> HttpResponse:
    return stage.ada.get(role(stage, "Admin", "copy"))


@screen("role-restore")
def role_to_be_restored(stage: Stage) -> HttpResponse:
    supervisor = stage.cast.role("Supervisor")
    supervisor.policies = []
    supervisor.save()
    return stage.ada.get(role(stage, "Supervisor", "restore"))


@screen("roles-restore")
def roles_to_be_restored(stage: Stage) -> HttpResponse:
    supervisor = stage.cast.role("Supervisor")
    supervisor.policies = []
    supervisor.save()
    return stage.ada.get(reverse("roles-restore"))


@screen("roles-restore")
def roles_that_need_no_restoring(stage: Stage) -> HttpResponse:
    return stage.ada.get(reverse("roles-restore"))


@screen("role-delete")
def role_to_be_deleted(stage: Stage) -> HttpResponse:
    stage.cast.custom_role("Clerk", "oauth:client:view")
    return stage.ada.get(role(stage, "Clerk", "delete"))


@screen("role-delete")
def role_that_is_held(stage: Stage) -> HttpResponse:
    return stage.ada.get(role(stage, "Client Manager", "delete"))


# --- Divisions -----------------------------------------------------------------------------------


def division(which: object, action: str) -> str:
    return reverse(f"division-{action}", args=[which.id])  # type: ignore[attr-defined]


@screen("divisions")
def divisions_and_a_deleted_one(stage: Stage) -> HttpResponse:
    made = divisions.create(actor=stage.cast.actor(stage.cast.ada), name="W" * 80, description="Long " * 30)
    divisions.delete(actor=stage.cast.actor(stage.cast.ada), division_id=made.id, with_grants=True)
    return stage.ada.get(reverse("divisions"))


@screen("divisions")
def divisions_that_nothing_matches(stage: Stage) -> HttpResponse:
    return stage.ada.get(reverse("divisions") + "?q=nothing")


@screen("division-new")
def division_new_with_errors(stage: Stage) -> HttpResponse:
    return stage.ada.post(reverse("division-new"), {"name": "East"})


@screen("division-edit")
def division_edited(stage: Stage) -> HttpResponse:
    return stage.ada.get(division(stage.cast.east, "edit"))


@screen("division-edit")
def division_edited_by_two(stage: Stage) -> HttpResponse:
    opened = stage.ada.get(division(stage.cast.east, "edit"))
    stage.cast.give(stage.cast.ben, ("Admin", None))
    stage.send(stage.ben, division(stage.cast.east, "edit"), name="Ben's east", description="His")
    return stage.send(stage.ada, opened, name="Ada's east")


@screen("division-move")
def division_to_move_people_to(stage: Stage) -> HttpResponse:
    return stage.ada.get(division(stage.cast.west, "move"))


@screen("division-move", status=400)
def division_to_move_nobody_to(stage: Stage) -> HttpResponse:
    return stage.ada.post(division(stage.cast.west, "move"))


@screen("division-delete")
def division_to_be_deleted(stage: Stage) -> HttpResponse:
    stage.cast.client(("Supervisor", stage.cast.east))
    return stage.ada.get(division(stage.cast.east, "delete"))


@screen("division-delete")
def division_that_cannot_be_deleted(stage: Stage) -> HttpResponse:
    return stage.ada.get(division(stage.cast.home, "delete"))


@screen("division-restore")
def division_to_be_restored(stage: Stage) -> HttpResponse:
    divisions.delete(
        actor=stage.cast.actor(stage.cast.ada), division_id=stage.cast.west.id, with_grants=True
    )
    return stage.ada.get(division(stage.cast.west, "restore"))
