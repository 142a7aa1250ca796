"""People: the list, adding somebody, their page and its tabs, and the questions."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.actor import system
from accounts.models import AuditEvent, Invitation, Organization, RoleGrant, Source, User
from accounts.services import divisions, groups, people, person_details, roles
from accounts.services.person_details import Phone
from oauthclients.models import Consent
from tests.oauthclients.console.wizard import problems, text
from tests.oauthclients.services.test_authorizations import app, living, signed_in
from tests.standing import standing

PEOPLE = "/admin/people/"


def of(person, part: str = "") -> str:
    return f"{PEOPLE}{person.id}/{part}"


def names(response) -> list[str]:
    return [row["person"].name for row in response.context["rows"]]


def again(person: User) -> User:
    return User.objects.get(id=person.id)


@standing
def ada(cast, browser_of):
    return browser_of(cast.ada)


@pytest.fixture
def holder(cast, browser_of):
    """A browser of somebody who holds these permissions in a division: `holder(cast.east, "a:b:c")`."""

    def sign_in(division, *permissions):
        person = cast.person("Holder", cast.home)
        cast.custom_role("Some rights", *permissions)
        cast.give(person, ("Some rights", division))
        return browser_of(person)

    return sign_in


# --- The list --------------------------------------------------------------------------------------


def test_it_lists_the_people_that_are_there(cast, ada):
    people.delete(actor=cast.actor(cast.ada), user_id=cast.person("Gone", cast.east).id)
    response = ada.get(PEOPLE)

    assert names(response) == ["Ada", "Ben", "Eve"]
    shown = text(response)
    assert "ben@acme.example" in shown
    assert "Cleo" not in shown
    assert {row["person"].name: row["roles"] for row in response.context["rows"]} == {
        "Ada": 3,
        "Ben": 2,
        "Eve": 1,
    }
    assert names(ada.get(f"{PEOPLE}?state=deleted")) == ["Gone"]


def test_it_shows_only_people_in_divisions_where_the_viewer_may(cast, holder):
    browser = holder(cast.east, "directory:user:view")

    assert names(browser.get(PEOPLE)) == ["Eve"]
    refused = browser.get(of(cast.ben))
    assert refused.status_code == 403
    assert "Home" in text(refused)
    assert browser.get(of(cast.eve)).status_code == 200


def test_without_the_permission_there_is_no_list_and_no_entry(cast, browser_of):
    browser = browser_of(cast.eve)

    refused = browser.get(PEOPLE)

    assert refused.status_code == 403
    assert "Directory > User > View" in text(refused)
    assert f'href="{PEOPLE}"' not in browser.get("/admin/").content.decode()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("q=ben", ["Ben"]),
        ("q=EVE%40acme", ["Eve"]),
        ("q=%00nobody", []),
        ("state=active", ["Ada", "Ben", "Eve"]),
        ("state=inactive", ["Ina"]),
        ("source=scim", ["Ina"]),
        ("division={east}", ["Eve", "Ina"]),
        ("role={supervisor}", ["Ada", "Ben"]),
        ("role={supervisor}&division={east}", []),
        ("division=nonsense&role=nonsense&state=x&source=x&sort=x&page=999", ["Ada", "Ben", "Eve", "Ina"]),
        ("sort=-name", ["Ina", "Eve", "Ben", "Ada"]),
        ("sort=division", ["Eve", "Ina", "Ada", "Ben"]),
    ],
)
def test_it_is_searched_filtered_and_sorted(cast, ada, query, expected):
    cast.person("Ina", cast.east, state="inactive", source=Source.SCIM)
    address = query.format(east=cast.east.id, supervisor=cast.role("Supervisor").id)

    response = ada.get(f"{PEOPLE}?{address}")

    assert names(response) == expected
    if not expected:
        assert "Nothing matches" in text(response)


def test_sorted_by_the_last_sign_in_who_never_did_comes_last(cast, ada):
    User.objects.filter(id=cast.ben.id).update(last_login=timezone.now() - timedelta(days=1))

    assert names(ada.get(f"{PEOPLE}?sort=seen")) == ["Ben", "Ada", "Eve"]
    assert names(ada.get(f"{PEOPLE}?sort=-seen")) == ["Ada", "Ben", "Eve"]


def test_a_longer_list_has_pages_and_no_more_statements(cast, ada):
    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            ada.get(PEOPLE)
        return len(captured)

    few = statements()
    for number in range(30):
        person = cast.person(f"Nils {number}", cast.west)
        cast.give(person, ("Employee", cast.west))

    assert statements() == few
    response = ada.get(PEOPLE)
    assert len(response.context["rows"]) == 25
    assert "1–25 of 33" in text(response)
    assert len(ada.get(response.context["next_url"]).context["rows"]) == 8


def test_whose_roles_one_may_not_see_is_not_told(cast, holder):
    browser = holder(cast.east, "directory:user:view")

    response = browser.get(f"{PEOPLE}?role={cast.role('Employee').id}")

    assert names(response) == []
    assert [select["name"] for select in response.context["selects"]] == ["division"]
    assert browser.get(PEOPLE).context["rows"][0]["roles"] is None


# --- Adding ----------------------------------------------------------------------------------------


def add(browser, where, **more):
    return browser.post(
        f"{PEOPLE}add/",
        {"name": "Nora", "email": "nora@acme.example", "division": str(where.id), **more},
        follow=True,
    )


def test_somebody_added_is_inactive_unless_chosen_and_holds_no_role(cast, ada):
    shown = text(add(ada, cast.east, title="Agent", department="Service"))

    nora = User.objects.get(email="nora@acme.example")
    assert "‘Nora’ was added." in shown
    assert (nora.state, nora.division, nora.title, nora.department) == (
        "inactive",
        cast.east,
        "Agent",
        "Service",
    )
    assert not RoleGrant.objects.filter(subject_id=nora.id).exists()
    assert mail.outbox == []
    add(ada, cast.east, email="nils@acme.example", active="on")
    assert User.objects.get(email="nils@acme.example").state == "active"


def test_an_invitation_makes_active_and_is_sent(cast, ada):
    response = add(ada, cast.east, invite="on")

    nora = User.objects.get(email="nora@acme.example")
    assert nora.state == "active"
    assert response.redirect_chain == [(of(nora), 302)]
    assert "an invitation sent to nora@acme.example" in text(response)
    assert "Send invitation again" in text(response)
    assert mail.outbox[0].to == ["nora@acme.example"]


def test_where_the_mail_cannot_be_sent_the_person_stays_and_it_says_so(cast, ada, settings):
    settings.EMAIL_BACKEND = "nowhere.to.be.found"
    shown = text(add(ada, cast.east, invite="on"))

    assert "‘Nora’ was added, but not invited: The mail could not be sent." in shown
    assert User.objects.filter(email="nora@acme.example").exists()
    assert not Invitation.objects.exists()


def test_without_a_mail_server_it_says_where_mails_go(cast, ada, settings):
    note = "No mail server is set up here: mails are written to files on the server."
    pages = [f"{PEOPLE}add/", of(cast.eve, "invite/")]
    settings.MAIL_IS_SENT = False
    assert all(note in text(ada.get(page)) for page in pages)
    assert str(settings.MAIL_DIR) not in ada.get(pages[1]).content.decode()
    settings.MAIL_IS_SENT = True
    assert not any(note in text(ada.get(page)) for page in pages)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"name": " "}, "Enter a name."),
        ({"email": "nobody"}, "Enter an email address."),
        ({"email": "EVE@acme.example"}, "This email address is already in use."),
        ({"email": "cleo@globex.example"}, "This email address is already in use."),
        ({"title": "x" * 201}, "At most 200 characters."),
        ({"division": "nonsense"}, "Choose a division."),
    ],
)
def test_what_is_wrong_is_said_in_its_place_and_what_was_typed_is_kept(cast, ada, typed, said):
    before = User.objects.count()
    response = add(ada, cast.east, **{"department": "Service", "invite": "on", **typed})

    assert problems(response) == [said]
    assert 'value="Service"' in response.content.decode()
    assert User.objects.count() == before
    assert mail.outbox == []


def test_a_division_that_is_gone_is_said_at_the_field(cast, ada):
    divisions.delete(actor=cast.actor(cast.ada), division_id=cast.west.id)
    response = add(ada, cast.west, department="Service")

    assert problems(response) == ["This division is not there any more."]
    assert response.context["form"].errors.keys() == {"division"}
    assert 'value="Service"' in response.content.decode()
    assert not User.objects.filter(email="nora@acme.example").exists()


def test_one_adds_people_only_where_one_may(cast, holder):
    browser = holder(cast.east, "directory:user:add", "directory:user:view")

    page = browser.get(f"{PEOPLE}add/").content.decode()
    assert str(cast.east.id) in page
    assert str(cast.west.id) not in page
    assert "Send an invitation" not in page
    assert problems(add(browser, cast.west)) == [
        "You lack the permission [directory:user:add] in the division [West]"
    ]
    assert problems(add(browser, cast.globex.divisions.get())) == ["Choose a division."]
    assert not User.objects.filter(email="nora@acme.example").exists()
    add(browser, cast.east, invite="on")  # which this form does not have
    assert mail.outbox == []


def test_who_may_not_invite_there_adds_nobody_by_asking_for_it(cast, browser_of):
    person = cast.person("Holder", cast.home)
    cast.custom_role("Adds", "directory:user:add", "directory:user:view")
    cast.custom_role("Invites", "directory:user:setPassword")
    cast.give(person, ("Adds", None), ("Invites", cast.east))
    browser = browser_of(person)

    # The division decides, so the box is offered and refused in its place.
    page = add(browser, cast.west, invite="on")
    assert problems(page)[0].startswith("You lack at least one of these permissions")
    assert page.context["form"].errors.keys() == {"invite"}
    assert mail.outbox == []
    assert not User.objects.filter(email="nora@acme.example").exists()


def test_adding_needs_its_permission(cast, browser_of):
    assert browser_of(cast.ben).get(f"{PEOPLE}add/").status_code == 403
    assert "Add person" not in text(browser_of(cast.ben).get(PEOPLE))


def test_with_only_sso_nobody_is_invited(cast, ada):
    Organization.objects.filter(id=cast.acme.id).update(only_sso=True, password_keeper=cast.ada)

    assert "people here sign in through single sign-on only" in text(ada.get(f"{PEOPLE}add/")).lower()
    assert "Signs in through single sign-on" in text(ada.get(of(cast.eve)))
    assert "Send invitation" not in text(ada.get(of(cast.eve)))
    refused = ada.post(of(cast.eve, "invite/"))
    assert problems(refused) == ["People here sign in through single sign-on only, without a password."]


# --- The page --------------------------------------------------------------------------------------


def test_the_profile_shows_all_there_is(cast, ada):
    actor = cast.actor(cast.ada)
    people.change(
        actor=actor,
        user_id=cast.eve.id,
        version=None,
        values={
            "given_name": "Evelyn",
            "employee_number": "E-17",
            "manager_id": cast.ben.id,
            "external_id": "00u1",
            "hired_on": timezone.now().date(),
        },
    )
    person_details.set_phones(actor=actor, user=again(cast.eve), phones=[Phone("work", "+49 30 1", True)])
    group = groups.create(actor=actor, name="Night shift")
    groups.change_members(actor=actor, group_id=group.id, spec=lambda present: [cast.eve.id])

    shown = text(ada.get(of(cast.eve)))

    for part in ("Evelyn", "E-17", "Ben", "00u1", "+49 30 1", "Primary", "Night shift", "Local", "East"):
        assert part in shown
    assert "Last sign-in never" in shown


def test_the_last_sign_in_is_shown(cast, ada, browser_of):
    browser_of(cast.eve)
    assert "Last sign-in just now" in text(ada.get(of(cast.eve)))


TABS = ("", "roles/", "permissions/", "apps/", "activity/")
QUESTIONS = ("edit/", "deactivate/", "delete/", "move/", "invite/", "apps/revoke-all/")


@pytest.mark.parametrize("part", [*TABS, *QUESTIONS, "activate/", "restore/", "roles/take-over/"])
def test_another_organizations_person_does_not_exist(cast, ada, part):
    assert ada.get(of(cast.cleo, part)).status_code == 404
    if part not in TABS or part == "roles/":
        assert ada.post(of(cast.cleo, part)).status_code == 404
    assert again(cast.cleo).state == "active"


@pytest.mark.parametrize("part", [*TABS, *QUESTIONS])
def test_nothing_of_it_is_for_nobody_or_for_those_without_rights(cast, client, browser_of, part):
    assert client.get(of(cast.ben, part))["Location"].startswith("/sign-in/")
    assert browser_of(cast.eve).get(of(cast.ben, part)).status_code == 403


@pytest.mark.parametrize("part", ["roles/", "permissions/"])
def test_whoever_sees_people_sees_what_they_hold_themselves(cast, browser_of, part):
    viewer = cast.person("Viewer", cast.home)
    cast.custom_role("Sees", "directory:user:view")
    cast.give(viewer, ("Sees", cast.home))
    browser = browser_of(viewer)
    assert browser.get(of(viewer, part)).status_code == 200
    assert browser.get(of(cast.ben, part)).status_code == 403
    assert browser.post(of(viewer, "roles/"), {"seen": ""}).status_code == 403


@pytest.mark.parametrize(
    ("part", "right"),
    [
        ("roles/", "authorization:grant:view"),
        ("permissions/", "authorization:grant:view"),
        ("apps/", "oauth:token:view"),
        ("edit/", "directory:user:edit"),
        ("deactivate/", "directory:user:edit"),
        ("delete/", "directory:user:delete"),
        ("move/", "directory:user:edit"),
        ("invite/", "directory:user:setPassword"),
        ("apps/revoke-all/", "oauth:token:delete"),
    ],
)
def test_each_part_needs_its_right_in_the_persons_division(cast, browser_of, part, right):
    viewer = cast.person("Viewer", cast.home)
    cast.custom_role("Sees", "directory:user:view")
    cast.custom_role("Right", right)
    cast.give(viewer, ("Sees", None))
    browser = browser_of(viewer)
    assert browser.get(of(cast.eve, part)).status_code == 403
    assert of(cast.eve, part) not in browser.get(of(cast.eve)).content.decode()

    if not right.startswith("oauth:"):  # which is held in no division
        cast.give(viewer, ("Sees", None), ("Right", cast.west))
        assert browser.get(of(cast.eve, part)).status_code == 403

    cast.give(viewer, ("Sees", None), ("Right", cast.east), ("Right", cast.home))
    assert browser.get(of(cast.eve, part)).status_code == 200


def test_the_permissions_are_those_that_count(cast, ada):
    cast.give(cast.eve, ("Supervisor", cast.east), ("Client Manager", cast.west))

    response = ada.get(of(cast.eve, "permissions/"))

    places = {
        place["name"]: {name for domain in place["domains"] for name in domain["names"]}
        for place in response.context["places"]
    }
    assert set(places) == {"In every division", "East"}
    assert "User > View" in places["East"]
    assert "Client > Edit" in places["In every division"]  # sits in no division
    assert "User > View" not in places["In every division"]
    cast.give(cast.eve)
    assert "This person holds no role." in text(ada.get(of(cast.eve, "permissions/")))


# --- Apps and tokens -------------------------------------------------------------------------------


def test_an_app_is_revoked_for_somebody_and_asks_them_again(cast, ada):
    one, other = app(cast, name="Calendar"), app(cast, name="Notes")
    signed_in(cast.eve, one)
    signed_in(cast.eve, other)
    signed_in(cast.ben, one)
    assert "Calendar" in text(ada.get(of(cast.eve, "apps/")))
    consent = Consent.objects.get(user=cast.eve, client=one)

    response = ada.post(of(cast.eve, f"apps/{consent.id}/revoke/"), follow=True)

    assert "‘Calendar’ can no longer act for ‘Eve’." in text(response)
    assert (living(one), living(other)) == (1, 1)
    assert not Consent.objects.filter(id=consent.id).exists()
    line = AuditEvent.objects.get(action="user.tokensRevoked")
    assert (line.actor_id, line.entity_id, line.after) == (
        cast.ada.id,
        cast.eve.id,
        {"app": "Calendar", "tokens": 1},
    )
    assert ada.post(of(cast.eve, f"apps/{consent.id}/revoke/")).status_code == 404
    theirs = Consent.objects.get(user=cast.ben)
    assert ada.post(of(cast.eve, f"apps/{theirs.id}/revoke/")).status_code == 404


def test_all_tokens_are_revoked_at_once(cast, ada):
    one, other = app(cast, name="Calendar"), app(cast, name="Notes")
    signed_in(cast.eve, one)
    signed_in(cast.eve, other)
    assert "Tokens in use 2" in text(ada.get(of(cast.eve, "apps/revoke-all/")))

    ada.post(of(cast.eve, "apps/revoke-all/"))

    assert (living(one), living(other)) == (0, 0)


def test_seeing_apps_is_not_revoking_them(cast, holder):
    one = app(cast, name="Calendar")
    signed_in(cast.eve, one)
    browser = holder(None, "directory:user:view", "oauth:token:view")
    consent = Consent.objects.get()

    page = browser.get(of(cast.eve, "apps/")).content.decode()

    assert "Calendar" in page
    assert "revoke" not in page.lower()
    assert browser.post(of(cast.eve, f"apps/{consent.id}/revoke/")).status_code == 403
    assert browser.post(of(cast.eve, "apps/revoke-all/")).status_code == 403
    assert living(one) == 1


# --- Activity --------------------------------------------------------------------------------------


def test_the_activity_is_what_was_done_to_them_and_by_them_newest_first(cast, ada, browser_of):
    browser_of(cast.ben)
    roles.create_custom(actor=cast.actor(cast.ada), name="Ada's own", description="", policies=[])
    people.change(actor=cast.actor(cast.ada), user_id=cast.ben.id, version=None, values={"title": "Lead"})

    lines = ada.get(of(cast.ben, "activity/")).context["lines"]

    assert [(line["who"], line["did"]) for line in lines[:2]] == [
        ("Ada", "edited the person"),
        ("Ben", "signed in"),
    ]
    assert lines[0]["rows"] == [{"label": "Title", "before": "", "after": "Lead"}]
    assert all(line["what"] != "Ada's own" for line in lines)


def test_the_activity_reads_well(cast, ada, browser_of):
    actor = cast.actor(cast.ada)
    people.change(actor=actor, user_id=cast.eve.id, version=None, values={"manager_id": cast.ben.id})
    ada.post(of(cast.eve, "invite/"))
    eastern = cast.person("Edda", cast.east)
    cast.give(eastern, ("Supervisor", cast.east))

    invited, edited = (line["rows"] for line in ada.get(of(cast.eve, "activity/")).context["lines"][:2])

    assert edited == [{"label": "Manager", "before": "", "after": "Ben"}]
    said = {row["label"]: row["after"] for row in invited}  # PostgreSQL keeps them in an order of its own
    assert said.keys() == {"Sent to", "Until"}
    assert said["Sent to"] == "eve@acme.example"
    assert re.fullmatch(r"\d+ \w+ 20\d\d, \d\d:\d\d UTC", said["Until"])
    assert "Ben" not in text(browser_of(eastern).get(of(cast.eve, "activity/")))
    assert "Somebody whom you may not see" in text(browser_of(eastern).get(of(cast.eve)))


def test_what_somebody_did_is_for_those_who_read_the_trail(cast, holder, browser_of):
    app(cast, by=cast.ada, name="Secret project")
    browser = holder(None, "directory:user:view")

    response = browser.get(of(cast.ada, "activity/"))

    assert "Secret project" not in text(response)
    assert "those who may read the audit trail" in text(response)
    assert "Secret project" in text(browser_of(cast.ada).get(of(cast.ada, "activity/")))
    did = [line["did"] for line in response.context["lines"]]
    assert "added the person" in did
    assert "changed the roles" not in did  # which this viewer may not see


def test_a_long_activity_has_pages(cast, ada):
    actor = cast.actor(cast.ada)
    for number in range(30):
        people.change(actor=actor, user_id=cast.eve.id, version=None, values={"title": f"T{number}"})
    first = ada.get(of(cast.eve, "activity/"))
    assert len(first.context["lines"]) == 25
    second = ada.get(first.context["older_url"])
    assert second.context["lines"]
    assert second.context["older_url"] == ""
    assert ada.get(second.context["newer_url"]).context["lines"] == first.context["lines"]
    assert ada.get(of(cast.eve, "activity/?page=99999")).status_code == 200


# --- Questions -------------------------------------------------------------------------------------


def test_deactivating_says_what_ends_and_ends_it(cast, ada, browser_of):
    one = app(cast)
    signed_in(cast.eve, one)
    eve = browser_of(cast.eve)
    asked = text(ada.get(of(cast.eve, "deactivate/")))
    assert "signed out everywhere at once" in asked
    assert "Apps that act for them 1" in asked
    assert "Tokens in use 1" in asked

    shown = text(ada.post(of(cast.eve, "deactivate/"), follow=True))

    assert "‘Eve’ is inactive." in shown
    assert eve.get("/account/apps/").status_code == 302
    assert again(cast.eve).state == "inactive"
    assert "This person is not active." in text(ada.get(of(cast.eve, "deactivate/"), follow=True))
    assert "‘Eve’ is active." in text(ada.post(of(cast.eve, "activate/"), follow=True))
    assert eve.get("/account/apps/").status_code == 302  # that sign-in is over for good


def test_deleting_takes_everything_away_and_can_be_undone_without_it(cast, ada):
    asked = text(ada.get(of(cast.ben, "delete/")))
    assert "Roles 2" in asked

    assert "‘Ben’ was deleted." in text(ada.post(of(cast.ben, "delete/"), follow=True))

    assert again(cast.ben).state == "deleted"
    assert not RoleGrant.objects.filter(subject_id=cast.ben.id).exists()
    page = ada.get(of(cast.ben))
    assert "They cannot sign in and hold nothing." in text(page)
    assert of(cast.ben, "edit/") not in page.content.decode()
    assert ada.get(of(cast.ben, "edit/")).status_code == 302
    restored = text(ada.post(of(cast.ben, "restore/"), follow=True))
    assert "‘Ben’ is restored, inactive and without roles." in restored
    assert again(cast.ben).state == "inactive"


def test_deleting_asks_for_the_password_when_it_was_typed_long_ago(cast, ada):
    session = ada.session
    session["password_confirmed_at"] = 0
    session["used_at"] = timezone.now().timestamp()
    session.save()

    response = ada.post(of(cast.ben, "delete/"))

    assert response["Location"].startswith("/confirm-password/")
    assert again(cast.ben).state == "active"


@pytest.mark.parametrize("part", ["deactivate/", "delete/"])
def test_the_last_admin_stays_and_the_page_says_why(cast, ada, part):
    response = ada.post(of(cast.ada, part))

    assert problems(response) == ["You cannot remove your own last Admin role."]
    assert again(cast.ada).state == "active"
    assert ada.get(PEOPLE).status_code == 200


def test_whoever_keeps_the_password_stays(cast, ada):
    Organization.objects.filter(id=cast.acme.id).update(only_sso=True, password_keeper=cast.ben)

    response = ada.post(of(cast.ben, "deactivate/"))

    assert problems(response)[0].startswith("‘Ben’ keeps the password for Only SSO")


def test_somebody_moves_where_one_may_change_people(cast, browser_of):
    mover = cast.person("Mover", cast.home)
    cast.custom_role("Moves", "directory:user:view", "directory:user:edit")
    cast.give(mover, ("Moves", cast.east), ("Moves", cast.west))
    browser = browser_of(mover)
    page = browser.get(of(cast.eve, "move/"))
    assert [choice for _key, choice in page.context["dialog_form"].fields["division"].choices] == ["West"]
    version = again(cast.eve).version

    for division in (cast.home, cast.globex.divisions.get()):
        refused = browser.post(
            of(cast.eve, "move/"), {"division": str(division.id), "version": str(version)}
        )
        assert problems(refused) == ["Choose one of these divisions."]
    shown = text(
        browser.post(
            of(cast.eve, "move/"), {"division": str(cast.west.id), "version": str(version)}, follow=True
        )
    )

    assert "‘Eve’ is in West now." in shown
    assert again(cast.eve).division == cast.west


def test_a_move_over_somebody_elses_change_is_refused(cast, ada):
    version = again(cast.eve).version
    people.change(actor=cast.actor(cast.ada), user_id=cast.eve.id, version=None, values={"title": "Lead"})

    response = ada.post(of(cast.eve, "move/"), {"division": str(cast.west.id), "version": str(version)})

    assert problems(response)[0].startswith("Somebody else changed this person")
    assert again(cast.eve).division == cast.east


def test_whoever_moves_somebody_out_of_sight_is_back_at_the_list(cast, browser_of):
    mover = cast.person("Mover", cast.home)
    cast.custom_role("Sees", "directory:user:view")
    cast.custom_role("Edits", "directory:user:edit")
    cast.give(mover, ("Sees", cast.east), ("Edits", None))

    response = browser_of(mover).post(
        of(cast.eve, "move/"),
        {"division": str(cast.west.id), "version": str(again(cast.eve).version)},
        follow=True,
    )

    assert response.redirect_chain == [(PEOPLE, 302)]
    assert "‘Eve’ is in West now." in text(response)


def test_an_invitation_is_sent_again(cast, ada):
    ada.post(of(cast.eve, "invite/"))
    shown = text(ada.get(of(cast.eve)))
    assert "Sent to eve@acme.example" in shown
    assert "The link that was sent before stops working." in text(ada.get(of(cast.eve, "invite/")))
    first = Invitation.objects.get().id

    assert "An invitation was sent to eve@acme.example." in text(
        ada.post(of(cast.eve, "invite/"), follow=True)
    )
    assert Invitation.objects.get().id != first
    assert len(mail.outbox) == 2


def test_a_mail_that_cannot_be_sent_is_said_in_the_question(cast, ada, settings):
    settings.EMAIL_BACKEND = "nowhere.to.be.found"

    response = ada.post(of(cast.eve, "invite/"))

    assert problems(response) == ["The mail could not be sent. Try again, or look at the mail settings."]


def test_every_question_is_a_whole_page(cast, ada):
    """Without JavaScript; with it, this content is the dialog."""
    for part in ("deactivate/", "delete/", "move/", "invite/", "apps/revoke-all/"):
        page = ada.get(of(cast.eve, part)).content.decode()
        assert "data-dialog-content" in page
        assert re.search(r'<form class="stack" method="post" action="[^"]*' + part, page)
        assert "<script>" not in page
        assert "style=" not in page


# --- Editing ---------------------------------------------------------------------------------------


class EditPage:
    """The edit page of one person, as somebody has it open."""

    def __init__(self, browser, person):
        self.browser, self.url = browser, of(person, "edit/")
        page = browser.get(self.url).context
        self.shown = {
            "version": page["shown"].version,
            "seen": page["seen"],
            **{field.html_name: field.value() or "" for field in page["form"]},
        }

    def save(self, **changes):
        return self.browser.post(self.url, {**self.shown, **changes}, follow=True)


def test_a_profile_is_edited(cast, ada):
    response = EditPage(ada, cast.eve).save(
        name="Evelyn",
        title="Lead",
        given_name="Evelyn",
        hired_on="2026-05-31",
        manager="BEN@acme.example",
        phone_work="+49 30 1",
        phone_fax="+49 30 2",
        primary="work",
    )

    assert "Changes saved." in text(response)
    eve = again(cast.eve)
    assert (eve.name, eve.title, eve.given_name, eve.manager_id) == (
        "Evelyn",
        "Lead",
        "Evelyn",
        cast.ben.id,
    )
    assert str(eve.hired_on) == "2026-05-31"
    assert {(one.kind, one.value, one.primary) for one in eve.phone_numbers.all()} == {
        ("work", "+49 30 1", True),
        ("fax", "+49 30 2", False),
    }
    version = eve.version
    assert "There was nothing to save." in text(EditPage(ada, cast.eve).save())
    assert again(cast.eve).version == version
    EditPage(ada, cast.eve).save(phone_fax="", manager="", hired_on="")
    eve = again(cast.eve)
    assert (eve.phone_numbers.count(), eve.manager_id, eve.hired_on) == (1, None, None)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"name": ""}, "Enter a name."),
        ({"email": "ben@acme.example"}, "This email address is already in use."),
        ({"other_email": "x"}, "Other email: Enter an email address."),
        ({"hired_on": "2026-02-31"}, "Hired on: Enter a date such as 2026-05-31."),
        ({"hired_on": "soon"}, "Hired on: Enter a date such as 2026-05-31."),
        ({"manager": "cleo@globex.example"}, "Manager: Nobody here has this email address."),
        ({"manager": "eve@acme.example"}, "Manager: There is no such person who could be the manager."),
        ({"primary": "fax"}, "Primary phone number: Choose a type that has a number."),
        ({"phone_home": "1" * 65}, "Work: At most 64 characters."),
    ],
)
def test_nothing_is_half_saved(cast, ada, typed, said):
    page = EditPage(ada, cast.eve)

    response = page.save(**{"title": "Lead", "phone_mobile": "+49 170 1", **typed})

    assert problems(response) == [said]
    assert 'value="Lead"' in response.content.decode()
    assert 'value="+49 170 1"' in response.content.decode()
    eve = again(cast.eve)
    assert (eve.title, eve.phone_numbers.count()) == ("", 0)


def test_two_people_at_once_lose_nothing_of_each_other(cast, ada):
    page = EditPage(ada, cast.eve)
    people.change(
        actor=cast.actor(cast.ada),
        user_id=cast.eve.id,
        version=None,
        values={"title": "Lead", "department": "Sales"},
    )

    response = page.save(department="Service", employee_number="7")

    shown = text(response)
    assert "Ada changed this" in shown
    assert "also changed: Title." in shown
    assert "You both changed: Department." in shown
    assert again(cast.eve).employee_number == ""
    context = response.context
    page.shown |= {"version": context["shown"].version, "seen": context["seen"]}
    page.save(department="Service", employee_number="7", title="Lead")
    eve = again(cast.eve)
    assert (eve.title, eve.department, eve.employee_number) == ("Lead", "Service", "7")


def test_an_email_takes_all_that_the_person_may_do(cast, browser_of):
    ines = cast.person("Ines", cast.home)
    cast.give(ines, ("People Admin", cast.home))
    page = EditPage(browser_of(ines), cast.ada)

    response = page.save(email="ines2@acme.example")

    assert "it takes all that they may do" in problems(response)[0]
    assert again(cast.ada).email == "ada@acme.example"
    assert "Changes saved." in text(page.save(title="Boss"))


def test_somebody_kept_by_scim_is_marked(cast, ada):
    User.objects.filter(id=cast.eve.id).update(source=Source.SCIM)

    assert "Kept by an identity management system" in text(ada.get(of(cast.eve)))


def test_the_command_line_is_named_in_the_activity(cast, ada):
    people.change(actor=system(cast.acme), user_id=cast.eve.id, version=None, values={"title": "x"})
    assert ada.get(of(cast.eve, "activity/")).context["lines"][0]["who"] == "Latchkey"
