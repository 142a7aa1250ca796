"""Every refusal: the sentence that the service has for it, at the line that it is about; and nothing written."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.actor import system
from accounts.errors import DomainError
from accounts.models import RoleGrant, UserState
from accounts.rules.delegation import RoleDivision
from accounts.services import people
from oauthclients.models import Client
from oauthclients.rules.client_spec import ClientSpec
from oauthclients.services import clients
from tests.oauthclients.as_code.files import APP, SERVICE, everything, export, file_of, run

BEN = "ben@acme.example"


def service(**lines: str) -> str:
    """`SERVICE` with other lines, or more."""
    text = SERVICE
    for key, line in lines.items():
        kept = [one for one in text.splitlines() if not one.startswith(f"{key}:")]
        text = "\n".join([*kept, line] if line else kept)
    return text


URIS = "\n".join(f"  - https://app.example/{number}" for number in range(126))

CASES = {
    "a role not held": (file_of(SERVICE), BEN, ["10:13: You do not hold ‘Supervisor’ in East."]),
    "a role not held in all divisions": (
        file_of("name: A\ngrant_type: CLIENT-CREDENTIALS\nroles:\n  - role: Supervisor\n    all_divisions: true"),
        BEN,
        ["8:9: You do not hold ‘Supervisor’ in all divisions."],
    ),
    "two at once": (
        file_of("name: A\ngrant_type: CLIENT-CREDENTIALS\nroles:\n  - role: Supervisor\n    divisions: [East, West]"),
        BEN,
        ["8:21: You do not hold ‘Supervisor’ in East.", "8:27: You do not hold ‘Supervisor’ in West."],
    ),
    "an unknown role": (
        file_of(SERVICE.replace("Supervisor", "Supervisr")),
        "ada@acme.example",
        ["7:15: There is no role called ‘Supervisr’. Did you mean ‘Supervisor’?"],
    ),
    "an unknown division": (
        file_of(SERVICE.replace("East", "Nowhere")),
        "ada@acme.example",
        ["10:13: There is no division called ‘Nowhere’."],
    ),
    "a scope that is none": (
        file_of(APP.replace("- users", "- user")),
        "ada@acme.example",
        ["9:9: There is no scope called ‘user’."],
    ),
    "no roles": (
        file_of("name: A\ngrant_type: CLIENT-CREDENTIALS\nroles: []"),
        "ada@acme.example",
        ["6:5: Assign at least one role."],
    ),
    "no roles said": (
        file_of("name: A\ngrant_type: CLIENT-CREDENTIALS"),
        "ada@acme.example",
        ["4:5: Assign at least one role."],
    ),
    "no grant type": (file_of("name: A"), "ada@acme.example", ["4:5: Choose a grant type."]),
    "no redirect URI and no scope": (
        file_of("name: A\ngrant_type: CODE\nredirect_uris: []\nscopes: []"),
        "ada@acme.example",
        ["6:5: Enter at least one redirect URI.", "7:5: Choose at least one scope."],
    ),
    "a redirect URI without https": (
        file_of(APP.replace("https:", "http:")),
        "ada@acme.example",
        ["7:9: Use https."],
    ),
    "the same redirect URI twice": (
        file_of(APP.replace("callback", "callback\n  - https://app.example/callback")),
        "ada@acme.example",
        ["8:9: This repeats line 7."],
    ),
    "126 redirect URIs": (
        file_of(APP.replace("  - https://app.example/callback", URIS)),
        "ada@acme.example",
        ["6:5: 126 addresses; the most is 125."],
    ),
    "a token that lives too long": (
        file_of(service(token_duration="token_duration: 172801")),
        "ada@acme.example",
        ["11:21: Enter 300 to 172,800 (5 minutes to 2 days)."],
    ),
    "450 days with another role": (
        file_of(service(token_duration="token_duration: 38880000")),
        "ada@acme.example",
        ["11:21: Enter 300 to 172,800 (5 minutes to 2 days)."],
    ),
    "more than 450 days": (
        file_of(
            "name: A\ngrant_type: CLIENT-CREDENTIALS\ntoken_duration: 38880001\nroles:\n"
            "  - role: SCIM Integration\n    all_divisions: true"
        ),
        "ada@acme.example",
        ["6:21: Enter 300 to 38,880,000 (450 days)."],
    ),
    "a name that shows nothing": (
        file_of(SERVICE.replace("Billing sync", '"\\u200b"')),
        "ada@acme.example",
        ["4:11: Enter an app name."],
    ),
    "a name that is too long": (
        file_of(SERVICE.replace("Billing sync", "A" * 201)),
        "ada@acme.example",
        ["4:11: The app name can have at most 200 characters."],
    ),
    "a name that hides something": (
        file_of(SERVICE.replace("Billing sync", '"A\\u202eB"')),
        "ada@acme.example",
        ["4:11: Remove the invisible characters."],
    ),
    "a description that is too long": (
        file_of(service(description="description: " + "A" * 501)),
        "ada@acme.example",
        ["11:18: The description can have at most 500 characters."],
    ),
    "what the grant type has no use for": (
        file_of(APP + "\nroles: []"),
        "ada@acme.example",
        ["11:5: A client of the grant type CODE has no roles."],
    ),
    "an authorization of a client with roles": (
        file_of(SERVICE + "\nauthorization:\n  state: authorized\n  scopes: [users]"),
        "ada@acme.example",
        ["11:5: A client of the grant type CLIENT-CREDENTIALS has no authorization."],
    ),
    "authorized for what it does not ask for": (
        file_of(APP + "\nauthorization:\n  state: authorized\n  scopes: [users, groups]"),
        "ada@acme.example",
        ["13:23: The app does not ask for the scope ‘groups’."],
    ),
    "authorized for no scope": (
        file_of(APP + "\nauthorization:\n  state: authorized\n  scopes: []"),
        "ada@acme.example",
        ["13:7: Choose at least one scope."],
    ),
    "authorized for an unknown role": (
        file_of(APP + "\nauthorization:\n  state: authorized\n  scopes: [users]\n  roles: [Employe]"),
        "ada@acme.example",
        ["14:15: There is no role called ‘Employe’. Did you mean ‘Employee’?"],
    ),
    "to authorize takes a right": (
        file_of(APP + "\nauthorization:\n  state: authorized\n  scopes: [users]"),
        BEN,
        ["12:7: You must have at least one of these permissions: [oauth:client:authorize]"],
    ),
    "an id of nothing": (
        file_of("id: 00000000-0000-4000-8000-000000000001\n" + SERVICE),
        "ada@acme.example",
        [
            "4:9: No client of this organization has the ID 00000000-0000-4000-8000-000000000001. Leave the "
            "ID out to make a new client."
        ],
    ),
    "an app of nobody": (
        file_of(SERVICE, more="authorizations:\n  - client_id: 00000000-0000-4000-8000-000000000001\n    state: refused\n"),
        "ada@acme.example",
        ["12:16: No client has this ID. Check with the app's developer."],
    ),
    "a file for another organization": (
        file_of(SERVICE).replace("organization: acme", "organization: globex"),
        "ada@acme.example",
        ["2:15: This file is for the organization ‘globex’, not for ‘acme’."],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=list(CASES))
def test_refused_at_its_line_and_nothing_written(case, cast, tmp_path):
    text, person, expected = CASES[case]
    before = everything()

    for verb, options in (("plan", {}), ("apply", {"yes": True, "secrets_file": tmp_path / "secrets"})):
        ran = run(verb, text, folder=tmp_path, by=person, **options)
        assert ran.code == 1
        assert ran.refused == expected
        assert ran.error == "Nothing was changed."

    assert everything() == before
    assert not (tmp_path / "secrets").exists()


def test_the_sentences_are_those_of_the_services(cast, tmp_path):
    """What the command says of a pair that Ben does not hold is what the service answers him."""
    with pytest.raises(DomainError) as raised:
        clients.create(
            actor=cast.actor(cast.ben),
            spec=ClientSpec(
                name="A",
                grant_type="client-credentials",
                role_divisions=(RoleDivision(cast.role("Supervisor").id, cast.east.id),),
            ),
        )
    said = run("plan", file_of(SERVICE), folder=tmp_path, by=BEN).refused
    assert [line.split(": ", 1)[1] for line in said] == [raised.value.message]


class TestClientsThatAreThere:
    def test_a_client_that_holds_more_than_the_person(self, cast, tmp_path):
        """Not even its description: as in the console. At the line of the pair where the file has it, else at
        that of the client."""
        cast.client(("Supervisor", cast.home), ("Supervisor", cast.east), ("Employee", cast.west))
        text = file_of(SERVICE + "\ndescription: new")
        ran = run("plan", text, folder=tmp_path, by=BEN)
        assert ran.refused == [
            "4:5: You do not hold ‘Employee’ in West.",
            "10:13: You do not hold ‘Supervisor’ in East.",
        ]

    def test_the_grant_type_is_fixed(self, cast, tmp_path):
        cast.client(("Supervisor", cast.home))
        ran = run("plan", file_of(APP.replace("Web app", "Billing sync")), folder=tmp_path)
        assert ran.refused == ["5:17: The grant type cannot be changed. Make a new client."]

    def test_a_name_that_another_client_has(self, cast, tmp_path):
        client, _secret = cast.client(("Supervisor", cast.home))
        cast.client(("Supervisor", cast.home), name="Other")
        text = file_of(f"id: {client.id}\nname: other")
        assert run("plan", text, folder=tmp_path).refused == [
            "5:11: Another client is already called ‘other’."
        ]

    def test_two_entries_for_one_client(self, cast, tmp_path):
        client, _secret = cast.client(("Supervisor", cast.home))
        text = file_of(f"id: {client.id}\nname: A", f"id: {str(client.id).upper()}\nname: B")
        assert run("plan", text, folder=tmp_path).refused == [
            f"6:9: ‘{str(client.id).upper()}’ is on line 4 as well."
        ]

    def test_names_that_would_be_swapped(self, cast, tmp_path):
        one, _secret = cast.client(("Supervisor", cast.home), name="One")
        two, _secret = cast.client(("Supervisor", cast.home), name="Two")
        text = file_of(f"id: {one.id}\nname: Two", f"id: {two.id}\nname: One")
        said = "These clients would swap their names, which cannot be done in one go. Give one of them another name first."
        assert run("plan", text, folder=tmp_path).refused == [f"5:11: {said}", f"7:11: {said}"]

    def test_450_days_end_with_another_role_and_the_file_must_say_so(self, cast, tmp_path):
        """The console would go back to a day with a notice. A file that went on saying 450 days would never be
        true."""
        cast.client(("SCIM Integration", None), token_seconds=38_880_000)
        text = file_of(
            "name: Billing sync\ntoken_duration: 38880000\nroles:\n  - role: Supervisor\n    divisions: [Home]"
        )
        assert run("plan", text, folder=tmp_path).refused == [
            "5:21: Enter 300 to 172,800 (5 minutes to 2 days)."
        ]
        ran = run("plan", text.replace("    token_duration: 38880000\n", ""), folder=tmp_path)
        assert ran.code == 2
        assert "~ token_duration: 38880000 -> 86400" in ran.said
        assert "no longer has the SCIM Integration role alone" in ran.said

    def test_a_client_that_waits_for_its_removal(self, cast, tmp_path):
        client, _secret = cast.client(("Supervisor", cast.home))
        Client.objects.update(created=timezone.now() - timedelta(days=31))
        clients.delete(actor=cast.actor(cast.ada), client_id=client.id)
        said = (
            "This client is pending deletion. Restore it first. “state: active” and “state: disabled” do."
        )
        assert run("plan", file_of("name: Billing sync"), folder=tmp_path).refused == [f"4:5: {said}"]
        text = file_of("name: Billing sync\nstate: inactive")
        assert run("plan", text, folder=tmp_path).refused == [f"5:12: {said}"]

    def test_clients_of_another_organization(self, cast, tmp_path):
        """Neither by id nor by name: what is not there is not there."""
        globex = system(cast.globex)
        theirs, _secret = clients.create(
            actor=globex,
            spec=ClientSpec(
                name="Theirs",
                grant_type="client-credentials",
                role_divisions=(RoleDivision(cast.role("Admin", cast.globex).id, None),),
            ),
        )
        text = file_of(f"id: {theirs.id}\nname: Mine")
        assert "No client of this organization has the ID" in run("plan", text, folder=tmp_path).refused[0]
        more = f"authorizations:\n  - client_id: {theirs.id}\n    state: refused\n"
        said = run("plan", "version: 1\n" + more, folder=tmp_path).refused
        assert said == ["3:16: No client has this ID. Check with the app's developer."]
        ran = run("plan", file_of(SERVICE.replace("Billing sync", "Theirs")), folder=tmp_path)
        assert ran.said.startswith("+ client Theirs")

    def test_an_own_app_stands_among_the_clients(self, cast, tmp_path):
        app = cast.app().client
        text = f"version: 1\nauthorizations:\n  - client_id: {app.id}\n    state: refused\n"
        assert run("plan", text, folder=tmp_path).refused == [
            "3:16: This is a client of this organization: put “authorization:” beside its other fields."
        ]

    def test_drift_is_said_and_settled_by_an_edit(self, cast, tmp_path):
        cast.client(("Supervisor", cast.home), by=cast.ben)
        cast.give(cast.ben, ("Client Manager", cast.home))
        said = "‘Supervisor’ in Home was given by Ben, who could not give it any more."
        text = file_of("name: Billing sync")

        ran = run("plan", text, folder=tmp_path)
        assert (ran.code, ran.said) == (0, f"! line 4: {said}\nNo changes.\n")
        ran = run("plan", text, folder=tmp_path, settle=True, by=BEN)
        assert ran.refused == ["4:5: You do not hold ‘Supervisor’ in Home."]
        ran = run("apply", text, folder=tmp_path, settle=True, yes=True)
        assert ran.code == 0
        assert f"! Settled: {said}" in ran.said
        assert RoleGrant.objects.get(subject_id=Client.objects.get().id).granted_by_id == cast.ada.id
        assert run("plan", text, folder=tmp_path, settle=True).said == "No changes.\n"


class TestWhoActs:
    @pytest.mark.parametrize(
        ("by", "organization", "said"),
        [
            ("cleo@globex.example", "acme", "Nobody of Acme has the email address ‘cleo@globex.example’."),
            ("nobody@acme.example", "acme", "Nobody of Acme has the email address ‘nobody@acme.example’."),
            ("ada@acme.example", "globex", "Nobody of Globex has the email address ‘ada@acme.example’."),
            ("ada@acme.example", "none", "There is no active organization with the short name ‘none’."),
            ("a\0da", "ac\0me", "There is no active organization with the short name ‘ac\\x00me’."),
            ("ada\0@acme.example", "acme", "Nobody of Acme has the email address ‘ada\\x00@acme.example’."),
        ],
    )  # fmt: skip
    def test_somebody_who_is_not_there(self, by, organization, said, cast):
        ran = run("export", by=by, organization=organization)
        assert (ran.code, ran.said) == (1, "")
        assert ran.error == said

    def test_somebody_who_was_deactivated(self, cast, tmp_path):
        people.change(
            actor=cast.actor(cast.ada),
            user_id=cast.ben.id,
            version=None,
            values={"state": UserState.INACTIVE},
        )
        ran = run("plan", file_of(SERVICE), folder=tmp_path, by=BEN)
        assert (ran.code, ran.error) == (1, "Ben is not active.")

    def test_somebody_who_may_only_look(self, cast, tmp_path):
        cast.custom_role("Looker", "oauth:client:view")
        cast.give(cast.eve, ("Looker", cast.home), ("Supervisor", cast.home), ("Supervisor", cast.east))
        cast.client(("Supervisor", cast.home))
        text = export(by="eve@acme.example")
        assert run("plan", text, folder=tmp_path, by="eve@acme.example", prune=True).code == 0
        cases = {
            file_of("name: Billing sync\ndescription: new"): "[oauth:client:edit]",
            file_of(SERVICE.replace("Billing sync", "Other")): "[oauth:client:add]",
        }
        for text, missing in cases.items():
            ran = run("plan", text, folder=tmp_path, by="eve@acme.example")
            said = f"4:5: You must have at least one of these permissions: {missing}"
            assert ran.refused == [said]
        ran = run("plan", "version: 1\n", folder=tmp_path, by="eve@acme.example", prune=True)
        said = " ‘Billing sync’: You must have at least one of these permissions: [oauth:client:delete]"
        assert ran.refused == [said]

    def test_somebody_who_may_not_see_clients(self, cast):
        ran = run("export", by="eve@acme.example")
        assert ran.error == "You must have at least one of these permissions: [oauth:client:view]"
        assert ran.said == ""
