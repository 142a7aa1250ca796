"""The pages of roles: the list, one role, its editor, restoring and deleting."""

from __future__ import annotations

import uuid

import pytest

from accounts import queries
from accounts.models import AuditEvent, Role
from accounts.permissions import expand, policies_for
from accounts.services import roles
from oauthclients.console import roles_editor
from oauthclients.models import Client, ClientAuthorization
from tests.oauthclients.console.wizard import problems, text
from tests.standing import standing

LIST = "/admin/roles/"
VIEW, ADD, EDIT = "oauth:client:view", "oauth:client:add", "oauth:client:edit"


class Page:
    """The editor of one role, as somebody sees it; `post` sends what the page holds, with changes."""

    def __init__(self, browser, role: Role) -> None:
        self.browser = browser
        self.id = role.id
        self.url = f"{LIST}{role.id}/edit/"

    @property
    def role(self) -> Role:
        return Role.objects.get(id=self.id)

    @property
    def permissions(self) -> frozenset[str]:
        return expand(self.role.policies)

    def opened(self) -> dict:
        """What the page holds when it is opened now."""
        context = self.browser.get(self.url).context
        return {
            "version": context["role"].version,
            "seen": context["seen"],
            "name": context["form"]["name"].value(),
            "description": context["form"]["description"].value(),
            "permission": sorted(self.permissions),
        }

    def post(self, data: dict | None = None, **more):
        return self.browser.post(self.url, {**self.opened(), **(data or {})}, **more)

    def confirm(self, data: dict, **more):
        """Answers the question about those who are affected."""
        asked = self.post(data)
        assert asked.status_code == 200, asked
        return self.post({**data, "confirmed": asked.context["confirmation"]}, **more)


def change(browser, role: Role, *permissions: str, **more):
    return Page(browser, role).post({"permission": list(permissions), **more})


def rows(browser, **asked) -> list[str]:
    return [item["row"].role.name for item in browser.get(LIST, asked).context["rows"]]


def entries(browser, name: str) -> list[str]:
    found = browser.get(LIST, {"q": name}).context["rows"]
    return next(
        [entry["label"] for entry in item["entries"]] for item in found if item["row"].role.name == name
    )


def box(response, permission: str) -> str:
    """The checkbox of a permission, as the page has it."""
    html = response.content.decode()
    start = html.index(f'name="permission" value="{permission}"')
    return html[start : html.index(">", start)]


@standing
def ada(cast, browser_of):
    return browser_of(cast.ada)


@pytest.fixture
def editor(cast, browser_of):
    """Eve, who edits roles in Home and holds little else."""
    cast.custom_role(
        "Role Editor",
        "authorization:role:view",
        "authorization:role:add",
        "authorization:role:edit",
        "authorization:role:delete",
        "directory:user:view",
    )
    cast.give(cast.eve, ("Role Editor", cast.home))
    return browser_of(cast.eve)


# --- The list ------------------------------------------------------------------------------------


def test_the_list_needs_the_permission_to_view_roles(cast, client, browser_of):
    assert client.get(LIST)["Location"] == f"/sign-in/?next={LIST}"
    assert browser_of(cast.eve).get(LIST).status_code == 403
    assert browser_of(cast.ben).get(LIST).status_code == 200


def test_the_list_counts_members_clients_and_permissions(cast, ada):
    cast.client(("Supervisor", cast.home), ("Supervisor", cast.east))
    [found] = [item["row"] for item in ada.get(LIST, {"q": "supervisor"}).context["rows"]]
    assert (found.counts.people, found.counts.clients, found.permissions) == (2, 1, 12)


def test_a_role_that_no_longer_is_as_shipped_is_marked_and_can_be_filtered(cast, ada):
    assert rows(ada, type="changed") == []
    assert entries(ada, "User") == ["Edit", "Copy", "Delete"]
    change(ada, cast.role("User"), "directory:user:view")
    assert rows(ada, type="changed") == ["User"]
    assert entries(ada, "User") == ["Edit", "Copy", "Restore default role", "Delete"]
    html = ada.get(LIST).content.decode()
    assert html.count('<span class="badge tone-warn">changed</span>') == 1


def test_the_list_is_searched_filtered_sorted_and_paged(cast, ada):
    for number in range(30):
        cast.custom_role(f"Clerk {number:02}", VIEW)
    assert rows(ada, q="clerk 1") == [f"Clerk {number}" for number in range(10, 20)]
    assert rows(ada, type="custom", page="2")[-1] == "Client Manager"
    assert "Admin" not in rows(ada, type="custom")
    assert "Clerk 00" not in rows(ada, type="default")
    assert rows(ada, sort="-permissions")[:2] == ["Admin", "Master Admin"]
    assert rows(ada, sort="-members")[0] == "Supervisor"
    assert rows(ada, type="custom", page="2")[0] == "Clerk 25"
    assert rows(ada, sort="nonsense", type="nonsense", page="nonsense")[0] == "Admin"
    assert "Nothing matches ‘zzz’." in text(ada.get(LIST, {"q": "zzz\x00"}))


def test_the_list_costs_the_same_however_many_roles_there_are(cast, ada, django_assert_max_num_queries):
    with django_assert_max_num_queries(8):
        ada.get(LIST)
    for number in range(20):
        cast.custom_role(f"Clerk {number}", VIEW)
    with django_assert_max_num_queries(8):
        ada.get(LIST)


def test_another_organizations_roles_are_not_there(cast, browser_of):
    mine = cast.custom_role("Acme only", VIEW)
    cleo = browser_of(cast.cleo)
    assert "Acme only" not in rows(cleo)
    for path in ("", "edit/", "copy/", "restore/", "delete/"):
        assert cleo.get(f"{LIST}{mine.id}/{path}").status_code == 404, path
        assert ada_nothing(cleo, path) == 404
    assert cleo.post(f"{LIST}{mine.id}/delete/").status_code == 404
    assert cleo.post(f"{LIST}{mine.id}/edit/", {"name": "Hers"}).status_code == 404
    assert Role.objects.get(id=mine.id).name == "Acme only"


def ada_nothing(browser, path: str) -> int:
    """The same for an id of nothing."""
    return browser.get(f"{LIST}{uuid.uuid4()}/{path}").status_code


def test_whoever_may_only_look_is_offered_and_given_nothing_else(cast, browser_of):
    ben = browser_of(cast.ben)
    role = cast.role("User")
    assert entries(ben, "User") == []
    page = ben.get(LIST).content.decode()
    assert "Add role" not in page
    assert "Restore default roles" not in page
    assert "Edit role" not in ben.get(f"{LIST}{role.id}/").content.decode()
    for path in ("new/", "restore/", *(f"{role.id}/{name}/" for name in ("edit", "copy", "restore"))):
        assert ben.get(LIST + path).status_code == 403, path
        assert ben.post(LIST + path, {"name": "X"}).status_code == 403, path
    assert ben.post(f"{LIST}{role.id}/delete/").status_code == 403
    assert Role.objects.filter(id=role.id, version=1).exists()


# --- One role ------------------------------------------------------------------------------------


def test_the_page_of_a_role_says_what_it_allows_and_who_has_it(cast, ada):
    cast.client(("Supervisor", cast.east), name="Billing sync")
    response = ada.get(f"{LIST}{cast.role('Supervisor').id}/")
    said = text(response)
    assert "People (2) Ada ada@acme.example All divisions Ben ben@acme.example Home" in said
    assert "Clients (1) Billing sync East" in said
    assert "Permissions (12)" in said
    assert "Routing" in said
    assert "OAuth" not in said.partition("Permissions (12)")[2]


def test_holders_whom_one_may_not_see_are_only_counted(cast, browser_of):
    cast.give(cast.eve, ("Supervisor", cast.home))
    cast.custom_role("Onlooker", "authorization:role:view")
    cast.give(cast.ben, ("Onlooker", cast.home))
    cast.client(("Supervisor", cast.home), name="Billing sync")
    said = text(browser_of(cast.ben).get(f"{LIST}{cast.role('Supervisor').id}/"))
    assert "2 people whose roles you may not see" in said
    assert "1 client that you may not see" in said
    assert "Ada" not in said
    assert "Billing sync" not in said


def test_of_many_holders_the_first_are_named_and_the_rest_linked(cast, ada):
    role = cast.custom_role("Clerk", VIEW)
    for number in range(27):
        cast.give(cast.person(f"Clerk {number:02}", cast.home), ("Clerk", cast.home))
    response = ada.get(f"{LIST}{role.id}/")
    assert "Clerk 24" in text(response)
    assert "Clerk 25" not in text(response)
    link = f'<a href="/admin/people/?role={role.id}">and 2 more people</a>'
    assert link in response.content.decode()


def test_recent_changes_say_what_was_added_and_removed(cast, ada):
    role = cast.custom_role("Clerk", VIEW, ADD)
    change(ada, role, VIEW, EDIT, name="Office clerk")
    said = text(ada.get(f"{LIST}{role.id}/"))
    assert (
        "Ada edited the role: name from ‘Clerk’ to ‘Office clerk’; added OAuth > Client > Edit; "
        "removed OAuth > Client > Add"
    ) in said


# --- Adding and copying --------------------------------------------------------------------------


def test_a_role_is_made_of_the_permissions_ticked(cast, ada):
    sent = {"name": "  Client  clerk ", "description": "Looks\r\nafter them", "permission": [VIEW, EDIT]}
    response = ada.post(f"{LIST}new/", sent)
    role = cast.role("Client clerk")
    assert response["Location"] == f"{LIST}{role.id}/"
    assert role.description == "Looks\nafter them"
    assert role.policies == policies_for([VIEW, EDIT])
    assert "Role ‘Client clerk’ was created." in text(ada.get(response["Location"]))


@pytest.mark.parametrize(
    ("sent", "problem", "target"),
    [
        ({"name": " "}, "Enter a role name.", "id_name"),
        ({"name": "supervisor"}, "Another role is already called ‘supervisor’.", "id_name"),
        ({"name": "x" * 201}, "At most 200 characters.", "id_name"),
        ({"name": "X", "description": "x" * 501}, "At most 500 characters.", "id_description"),
        (
            {"name": "X", "permission": [VIEW, "no:such:thing"]},
            "There is no permission called ‘no:such:thing’.",
            "permissions",
        ),
        ({"name": "X", "permission": ["nonsense\x00"]}, "called ‘nonsense’.", "permissions"),
    ],
)
def test_a_problem_is_shown_in_its_place_with_what_was_typed_kept(cast, ada, sent, problem, target):
    before = Role.objects.count()
    response = ada.post(f"{LIST}new/", {"permission": [VIEW], **sent})
    assert response.status_code == 200
    html = response.content.decode()
    assert "<title>Error – Add role" in html
    assert any(problem in said for said in problems(response))
    assert f'href="#{target}"' in html
    if "nonsense\x00" not in sent.get("permission", []):
        assert "checked" in box(response, VIEW)
    assert Role.objects.count() == before


def test_what_the_maker_does_not_hold_cannot_be_ticked_and_says_so(editor):
    response = editor.get(f"{LIST}new/")
    assert "disabled" in box(response, VIEW)
    assert "disabled" not in box(response, "directory:user:view")
    said = text(response)
    assert "Client Add Authorize Delete Edit View You do not hold this." in said
    assert "Add, Delete, Edit, Set Password: you do not hold this." in said


def test_a_forged_permission_is_refused_with_the_services_sentence(editor):
    response = editor.post(f"{LIST}new/", {"name": "Clever", "permission": [VIEW, "directory:user:view"]})
    assert response.status_code == 403
    assert f"You cannot add permissions you do not hold: {VIEW}." in text(response)
    assert 'value="Clever"' in response.content.decode()
    assert "checked" not in box(response, VIEW)
    assert "checked" in box(response, "directory:user:view")
    assert not Role.objects.filter(name="Clever").exists()


def test_a_full_organization_is_told_so(cast, ada, settings):
    settings.MAX_ROLES_PER_ORGANIZATION = Role.objects.filter(organization=cast.acme).count()
    response = ada.post(f"{LIST}new/", {"name": "One more"})
    assert "This organization already has" in text(response)
    assert 'value="One more"' in response.content.decode()


def test_a_default_role_is_copied_under_a_name_of_its_own(cast, ada):
    source = cast.role("Admin")
    response = ada.get(f"{LIST}{source.id}/copy/")
    assert response.context["form"]["name"].value() == "Copy of Admin"
    assert "checked" in box(response, VIEW)
    ada.post(f"{LIST}{source.id}/copy/", {"name": "Copy of Admin", "permission": [VIEW]})
    assert expand(cast.role("Copy of Admin").policies) == {VIEW}
    assert cast.role("Copy of Admin").default_role_id == ""
    assert len(expand(cast.role("Admin").policies)) > 100


def test_a_copy_leaves_out_what_its_maker_does_not_hold_and_says_so(cast, editor):
    response = editor.get(f"{LIST}{cast.role('Client Manager').id}/copy/")
    assert "4 permissions are left out, because you do not hold them" in text(response)
    assert "checked" not in box(response, VIEW)


# --- Editing -------------------------------------------------------------------------------------


def test_a_change_of_a_role_that_nobody_holds_is_saved_at_once(cast, ada):
    role = cast.custom_role("Clerk", VIEW)
    response = change(ada, role, VIEW, EDIT, name="Office clerk", description="In the office")
    assert response["Location"] == f"{LIST}{role.id}/"
    role.refresh_from_db()
    assert (role.name, role.description, expand(role.policies)) == (
        "Office clerk",
        "In the office",
        {VIEW, EDIT},
    )


def test_saving_without_a_change_changes_nothing_and_says_so(cast, ada):
    page = Page(ada, cast.role("Supervisor"))
    assert "There was nothing to save." in text(page.post(follow=True))
    assert page.role.version == 1


def test_wildcards_stay_until_a_permission_is_touched(cast, ada):
    page = Page(ada, cast.role("Master Admin"))
    wildcards = page.role.policies
    assert wildcards[0]["entityName"] == "*"
    page.post({"description": "Of the owner"})
    assert page.role.description == "Of the owner"
    assert page.role.policies == wildcards
    less = sorted(page.permissions - {VIEW})
    page.post({"permission": less})
    assert page.role.policies == policies_for(less)


def test_a_default_role_keeps_its_name(cast, ada):
    page = Page(ada, cast.role("User"))
    html = ada.get(page.url).content.decode()
    assert "readonly" in html[html.index('name="name"') : html.index('name="description"')]
    assert "Default roles keep their names." in problems(page.post({"name": "Mine"}))
    assert page.role.name == "User"


def test_admin_cannot_be_changed_but_described(cast, ada):
    page = Page(ada, cast.role("Admin"))
    response = ada.get(page.url)
    assert "Admin always holds every permission. Make a copy to change it." in text(response)
    assert 'name="permission"' not in response.content.decode()
    page.post({"description": "Everything", "permission": [VIEW]})
    assert page.role.description == "Everything"
    assert len(page.permissions) > 100


def test_what_the_role_has_may_be_taken_away_by_an_editor_who_does_not_hold_it(cast, editor):
    role = cast.custom_role("Clerk", VIEW, EDIT)
    response = editor.get(f"{LIST}{role.id}/edit/")
    assert "disabled" not in box(response, VIEW)
    assert "disabled" in box(response, ADD)
    assert change(editor, role, VIEW).status_code == 302
    assert Page(editor, role).permissions == {VIEW}


def test_a_custom_role_cannot_be_widened_beyond_its_editor_by_a_forged_post(cast, editor):
    role = cast.custom_role("Clerk", VIEW)
    response = change(editor, role, VIEW, EDIT)
    assert response.status_code == 403
    assert f"You cannot add permissions you do not hold: {EDIT}." in text(response)
    assert Page(editor, role).permissions == {VIEW}


def test_a_permission_held_elsewhere_than_the_role_cannot_be_added(cast, editor):
    role = cast.custom_role("Clerk", "directory:userProfile:view")
    cast.give(cast.ben, ("Clerk", cast.east))
    response = editor.get(f"{LIST}{role.id}/edit/")
    assert "disabled" in box(response, "directory:user:view")
    assert "View: you do not hold this in every division in which the role is held." in text(response)
    refused = change(editor, role, "directory:userProfile:view", "directory:user:view")
    assert refused.status_code == 403
    assert "where this role is held (East)" in text(refused)


# --- Who is affected -----------------------------------------------------------------------------


def test_a_change_of_a_role_that_is_held_asks_first_and_says_who_is_affected(cast, ada):
    cast.client(("Supervisor", cast.home))
    page = Page(ada, cast.role("Supervisor"))
    wanted = {"permission": sorted(page.permissions - {"routing:queue:edit"} | {VIEW})}
    response = page.post(wanted)
    said = text(response)
    assert "Held by 2 people, 1 client" in said
    assert "They may then OAuth > Client > View" in said
    assert "They may no longer Routing > Queue > Edit" in said
    assert page.role.version == 1
    assert AuditEvent.objects.filter(entity_id=page.id).count() == 0
    assert page.confirm(wanted).status_code == 302
    assert VIEW in page.permissions


def test_a_confirmation_counts_only_for_what_was_shown(cast, ada):
    page = Page(ada, cast.role("Supervisor"))
    less = sorted(page.permissions - {"routing:queue:edit"})
    key = page.post({"permission": less}).context["confirmation"]
    cast.client(("Supervisor", cast.home))
    response = page.post({"permission": less, "confirmed": key})
    assert "Held by 2 people, 1 client" in text(response)
    assert page.role.version == 1


def test_what_is_wrong_is_said_before_anybody_is_asked_to_confirm(cast, ada):
    cast.custom_role("Taken", VIEW)
    clerk = cast.custom_role("Clerk", VIEW)
    cast.give(cast.ben, ("Clerk", cast.home))
    response = change(ada, clerk, VIEW, EDIT, name="Taken")
    assert problems(response) == ["Another role is already called ‘Taken’."]
    assert "affected" not in response.context


def test_a_rename_asks_nobody(cast, ada):
    clerk = cast.custom_role("Clerk", VIEW)
    cast.give(cast.ben, ("Clerk", cast.home))
    assert change(ada, clerk, VIEW, name="Office clerk").status_code == 302


def test_clients_whose_tokens_get_shorter_are_named_before_and_after(cast, ada):
    client, _secret = cast.client(("SCIM Integration", cast.home), name="HR", token_seconds=38_880_000)
    cast.client(("SCIM Integration", cast.home), name="Brief", token_seconds=600)
    page = Page(ada, cast.role("SCIM Integration"))
    wanted = {"permission": [*sorted(page.permissions), VIEW]}
    asked = text(page.post(wanted))
    assert "The token duration of 1 client goes back to 86,400 seconds HR :" in asked
    assert "Brief" not in asked
    assert Client.objects.get(id=client.id).token_seconds == 38_880_000
    said = text(page.confirm(wanted, follow=True))
    assert "HR: The token duration went back to 86,400 seconds" in said
    assert Client.objects.get(id=client.id).token_seconds == 86_400


def test_a_change_by_which_a_client_keeps_its_long_tokens_warns_of_nothing(cast, ada):
    cast.client(("SCIM Integration", cast.home), name="HR", token_seconds=38_880_000)
    cast.client(("Supervisor", cast.home), name="Other")
    page = Page(ada, cast.role("Supervisor"))
    assert "token duration" not in text(page.post({"permission": [VIEW]}))


# --- Two people ----------------------------------------------------------------------------------


@pytest.fixture
def two(cast, ada, browser_of):
    """Ada and Ben over the same role."""
    cast.custom_role("Role Editor", *expand(cast.role("Admin").policies))
    cast.give(cast.ben, ("Role Editor", None))
    role = cast.custom_role("Clerk", VIEW)
    return Page(ada, role), Page(browser_of(cast.ben), role)


def test_what_both_changed_is_shown_and_not_overwritten(two):
    mine, bens = two
    opened = mine.opened()
    bens.post({"name": "Ben's clerk"})
    response = mine.post({**opened, "name": "Ada's clerk"})
    assert "Ben changed this at " in text(response)
    assert "You both changed: Name." in text(response)
    assert "Name Ben's clerk Ada's clerk" in text(response)
    assert mine.role.name == "Ben's clerk"
    # Sent again from that page, it is a decision.
    again = {"version": response.context["role"].version, "seen": response.context["seen"]}
    assert mine.post({**opened, **again, "name": "Ada's clerk"}).status_code == 302
    assert mine.role.name == "Ada's clerk"


def test_permissions_of_both_are_put_together(two):
    mine, bens = two
    opened = mine.opened()
    bens.post({"permission": [VIEW, EDIT], "description": "By Ben"})
    response = mine.post({**opened, "permission": [ADD]})
    assert "Ben also changed: Description, Permissions. This is taken over below." in text(response)
    assert "both changed" not in text(response)
    assert "checked" in box(response, EDIT)
    assert "checked" in box(response, ADD)
    assert "checked" not in box(response, VIEW)
    assert mine.permissions == {VIEW, EDIT}  # it is looked at before it is saved


def test_without_knowing_what_was_seen_every_difference_is_for_review(two):
    mine, bens = two
    bens.post({"permission": [VIEW, EDIT]})
    response = mine.post({"version": "1", "seen": "nonsense", "permission": [ADD]})
    assert "You both changed: Permissions." in text(response)
    assert mine.permissions == {VIEW, EDIT}


def test_a_change_that_comes_between_reading_and_saving_is_a_conflict_too(two, monkeypatch):
    mine, bens = two
    asked = roles_editor.Editor.affected

    def late(self):
        monkeypatch.undo()
        bens.post({"name": "Ben's clerk"})
        return asked(self)

    opened = mine.opened()
    monkeypatch.setattr(roles_editor.Editor, "affected", late)
    response = mine.browser.post(mine.url, {**opened, "name": "Ada's clerk"})
    assert "You both changed: Name." in text(response)
    assert mine.role.name == "Ben's clerk"


def test_a_form_that_did_not_arrive_whole_saves_nothing(two):
    mine, _bens = two
    response = mine.browser.post(mine.url, {"name": "Half"})
    assert response.status_code == 400
    assert "The form did not arrive whole" in text(response)
    assert (mine.role.name, mine.permissions) == ("Clerk", {VIEW})


# --- Restoring -----------------------------------------------------------------------------------


def test_a_default_role_is_restored_after_saying_who_is_affected(cast, ada):
    page = Page(ada, cast.role("Supervisor"))
    shipped = page.permissions
    page.confirm({"permission": [VIEW], "description": "Mine"})
    asked = ada.get(f"{LIST}{page.id}/restore/")
    assert "Held by 2 people, 0 clients" in text(asked)
    assert "They may no longer OAuth > Client > View" in text(asked)
    said = text(ada.post(f"{LIST}{page.id}/restore/", follow=True))
    assert "‘Supervisor’ is as it was shipped." in said
    assert page.permissions == shipped
    assert page.role.description == "Look after the people and queues of a division"


def test_what_is_as_shipped_is_not_restored_and_what_is_custom_cannot_be(cast, ada):
    response = ada.get(f"{LIST}{cast.role('User').id}/restore/", follow=True)
    assert "‘User’ is as it was shipped." in text(response)
    custom = cast.role("Client Manager")
    assert ada.get(f"{LIST}{custom.id}/restore/").status_code == 404
    assert ada.post(f"{LIST}{custom.id}/restore/").status_code == 404


def test_restoring_hands_on_nothing_that_one_does_not_hold(cast, ada, editor):
    page = Page(ada, cast.role("Supervisor"))
    page.confirm({"permission": ["directory:user:view"]})
    url = f"{LIST}{page.id}/restore/"
    response = editor.get(url)
    assert "You cannot restore it: you do not hold all that it gets back" in text(response)
    assert "<form method" not in response.content.decode().partition("data-dialog-content")[2]
    forged = editor.post(url)
    assert forged.status_code == 403
    assert "You cannot add permissions you do not hold" in text(forged)
    assert page.permissions == {"directory:user:view"}


def test_missing_default_roles_come_back_and_changed_ones_only_when_told_so(cast, ada):
    roles.delete(actor=cast.actor(cast.ada), role_id=cast.role("User").id)
    page = Page(ada, cast.role("Developer"))
    page.post({"permission": [VIEW]})
    asked = text(ada.get(f"{LIST}restore/"))
    assert "These are missing and will be added: User" in asked
    assert "Developer Held by 0 people, 0 clients They may then" in asked
    said = text(ada.post(f"{LIST}restore/", follow=True))
    assert "1 default role was added." in said
    assert page.permissions == {VIEW}
    said = text(ada.post(f"{LIST}restore/", {"overwrite": "on"}, follow=True))
    assert "1 default role was restored." in said
    assert len(page.permissions) == 12
    assert "There is nothing to restore." in text(ada.get(f"{LIST}restore/"))


def test_restoring_all_is_refused_as_a_whole_where_a_part_is_not_allowed(cast, ada, editor):
    Page(ada, cast.role("Supervisor")).confirm({"permission": ["directory:user:view"]})
    response = editor.post(f"{LIST}restore/", {"overwrite": "on"})
    assert response.status_code == 403
    assert "You cannot add permissions you do not hold" in text(response)
    assert expand(cast.role("Supervisor").policies) == {"directory:user:view"}


def test_clients_whose_tokens_a_restored_role_shortens_are_told(cast, ada):
    Page(ada, cast.role("Developer")).post(
        {"permission": sorted(expand(cast.role("SCIM Integration").policies))}
    )
    cast.client(("Developer", cast.home), name="HR", token_seconds=38_880_000)
    url = f"{LIST}{cast.role('Developer').id}/restore/"
    assert "goes back to 86,400 seconds HR :" in text(ada.get(url))
    assert "HR: The token duration went back" in text(ada.post(url, follow=True))


# --- Deleting ------------------------------------------------------------------------------------


def test_a_role_that_nobody_holds_is_deleted(cast, ada):
    role = cast.custom_role("Clerk", VIEW)
    assert "This cannot be undone." in text(ada.get(f"{LIST}{role.id}/delete/"))
    assert "Role ‘Clerk’ was deleted." in text(ada.post(f"{LIST}{role.id}/delete/", follow=True))
    assert not Role.objects.filter(id=role.id).exists()


def test_deleting_asks_for_the_password_when_it_was_typed_long_ago(cast, ada, settings):
    settings.RECENT_SIGN_IN_SECONDS = -1
    role = cast.custom_role("Clerk", VIEW)
    assert ada.post(f"{LIST}{role.id}/delete/")["Location"].startswith("/confirm-password/")
    assert Role.objects.filter(id=role.id).exists()


def test_a_role_that_is_held_is_not_deleted_and_its_holders_are_listed(cast, ada):
    role = cast.custom_role("Clerk", VIEW)
    cast.give(cast.ben, ("Clerk", cast.east))
    url = f"{LIST}{role.id}/delete/"
    response = ada.get(url)
    assert "People (1) Ben ben@acme.example East" in text(response)
    assert (
        "<button"
        not in response.content.decode().partition("data-dialog-content")[2].partition("</section>")[0]
    )
    forged = ada.post(url)
    assert forged.status_code == 409
    assert "‘Clerk’ cannot be deleted: 1 holder has it." in text(forged)
    assert Role.objects.filter(id=role.id).exists()


def test_a_role_to_which_an_app_is_limited_is_not_deleted(cast, ada):
    role = cast.custom_role("Clerk", VIEW)
    app = cast.app("users:readonly", name="Portal")
    ClientAuthorization.objects.filter(client=app.client).update(roles=[str(role.id)])
    assert "The app ‘Portal’ is limited to it." in text(ada.get(f"{LIST}{role.id}/delete/"))


@pytest.mark.parametrize("name", ["Admin", "Employee"])
def test_admin_and_employee_stay(cast, ada, name):
    role = cast.role(name)
    assert "Delete" not in entries(ada, name)
    assert f"‘{name}’ cannot be deleted." in text(ada.get(f"{LIST}{role.id}/delete/"))
    assert ada.post(f"{LIST}{role.id}/delete/").status_code == 409
    assert queries.role(cast.acme, role.id)


# --- Deleted meanwhile ---------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["edit", "copy", "delete"])
def test_a_role_that_somebody_else_deleted_meanwhile_is_said_to_be_gone(cast, ada, action):
    role = cast.custom_role("Clerk", VIEW)
    cast.give(cast.ben, ("Admin", cast.home))
    opened = Page(ada, role).opened()
    roles.delete(actor=cast.actor(cast.ben), role_id=role.id)
    response = ada.post(f"{LIST}{role.id}/{action}/", {**opened, "name": "Clerks"}, follow=True)
    assert response.redirect_chain == [(LIST, 302)]
    assert "Ben deleted ‘Clerk’ in the meantime, so nothing was saved." in text(response)
    assert not Role.objects.filter(name="Clerks").exists()
    assert ada.get(f"{LIST}{role.id}/{action}/").status_code == 404


def test_a_role_that_is_deleted_while_it_is_saved_is_said_to_be_gone(cast, ada, monkeypatch):
    role = cast.custom_role("Clerk", VIEW)
    opened = Page(ada, role).opened()

    def meanwhile(_editor):
        roles.delete(actor=cast.actor(cast.ada), role_id=role.id)

    monkeypatch.setattr(roles_editor.Editor, "affected", meanwhile)
    response = ada.post(f"{LIST}{role.id}/edit/", {**opened, "name": "Clerks"}, follow=True)
    assert "Ada deleted ‘Clerk’ in the meantime" in text(response)


def test_whoever_may_not_see_the_list_is_told_on_admin_home(cast, browser_of):
    role = cast.custom_role("Clerk", VIEW)
    cast.custom_role("Role Editor", "authorization:role:edit")
    cast.give(cast.eve, ("Role Editor", cast.home))
    roles.delete(actor=cast.actor(cast.ada), role_id=role.id)
    response = browser_of(cast.eve).post(f"{LIST}{role.id}/edit/", {"name": "X"}, follow=True)
    assert response.redirect_chain == [("/admin/", 302)]
    assert "Ada deleted ‘Clerk’ in the meantime" in text(response)


def test_a_role_that_was_never_here_is_not_found_whatever_is_sent(cast, ada):
    theirs = roles.create_custom(
        actor=cast.actor(cast.cleo), name="Theirs", description="", policies=policies_for([VIEW])
    )
    roles.delete(actor=cast.actor(cast.cleo), role_id=theirs.id)
    for role_id in (theirs.id, cast.role("Admin", cast.globex).id, uuid.uuid4()):
        response = ada.post(f"{LIST}{role_id}/edit/", {"name": "X"})
        assert response.status_code == 404
        assert "Cleo" not in text(response)
