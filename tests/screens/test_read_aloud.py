"""The wizard as a screen reader tells it: what each thing is called, what it is, and in what state; with and without
errors, for all four grants."""

from __future__ import annotations

import pytest

from tests.screens.catalogue import every_screen
from tests.screens.reader import heard

CONTROLS = (
    "textbox",
    "searchbox",
    "checkbox",
    "switch",
    "radio",
    "button",
    "link",
    "combobox",
    "tab",
    "group",
)
NAME_HINT = "People see this name when they approve the app."
SCOPE_HINT = "What the app may do for a person, never more than the person can. Choose the fewest."
URIS = "Authorized redirect URIs (one per line, up to 125)"
URI_HINT = "Whole addresses with https, or http for localhost. An app must send exactly one of these."
SECONDS_HINT = "300 to 172,800 (5 minutes to 2 days). Suggested: 86,400 (1 day)."
OUT_OF_RANGE = "Enter 300 to 172,800 (5 minutes to 2 days)."

# By screen: the step that is the current one, and lines that are heard in this order, among others.
TOLD = {
    "wizard_1_empty": (
        "Client details",
        'link "Skip to content"',
        'navigation "Main menu"',
        'navigation "Breadcrumb"',
        'heading "Add New Client" level 1',
        'navigation "Progress"',
        'region "Start from"',
        'button "Empty" pressed, described by "You choose everything yourself."',
        'heading "Client details" level 2',
        f'textbox "App Name" described by "{NAME_HINT}"',
        'textbox "Description (optional)" multiline',
        'group "Grant Types" described by "How the app gets its tokens. This cannot be changed later."',
        'radio "Client Credentials" not checked, described by "For a background service with no person signed in"',
        'DisclosureTriangle "More about this : Client Credentials" collapsed',
        'radio "Code Authorization" not checked, described by "For a web site with its own server"',
        'radio "Implicit Grant (Browser)" not checked,',
        'radio "SAML2 Bearer" not checked,',
        'button "Cancel"',
        'button "Next"',
        'region "Summary"',
    ),
    "wizard_1_with_errors": (
        "Client details",
        'alert "There is a problem"',
        'link "Enter an app name."',
        'link "Choose a grant type."',
        f'textbox "App Name" invalid, described by "{NAME_HINT} Error: Enter an app name."',
        'group "Grant Types" described by "How the app gets its tokens. This cannot be changed later. Error: Choose',
    ),
    "wizard_1_asks_before_it_drops_roles": (
        "Client details",
        'dialog "Change grant type?" modal',
        'heading "Change grant type?" level 2',
    ),
    "wizard_2_roles_chosen": (
        "Assign Roles",
        'link "Done: Client details"',
        'heading "Assign Roles" level 2',
        'searchbox "Find a role"',
        'group "Show"',
        'button "All" pressed',
        'button "Assigned (2)" not pressed',
        'table "Roles"',
        'columnheader "Assigned"',
        'rowheader "Admin Everything in the organization 120',
        'group "Divisions for Admin"',
        'checkbox "All, including future" checked',
        'switch "Assign Admin" checked',
        'switch "Assign SCIM Integration" not checked',
        'group "Divisions for Supervisor"',
        'checkbox "Home" checked',
        'checkbox "East" checked',
        'checkbox "West" not checked',
        'switch "Assign Supervisor" checked',
        'DisclosureTriangle "Roles you cannot give (8)" collapsed',
        'button "Back"',
        'button "Next"',
        'link "Change – App Name"',
    ),
    "wizard_2_roles_with_errors": (
        "Assign Roles",
        'alert "There is a problem"',
        'link "Choose a division for ‘Supervisor’."',
        'group "Divisions for Supervisor" described by "Error: Choose a division for ‘Supervisor’."',
        'checkbox "Home" not checked',
        'switch "Assign Supervisor" checked',
    ),
    "wizard_2_for_somebody_with_few_roles": (
        "Assign Roles",
        'switch "Assign Client Manager" not checked',
        'switch "Assign Supervisor" not checked',
        'DisclosureTriangle "Roles you cannot give',
    ),
    "wizard_2_redirects_and_scope": (
        "Redirects and scope",
        f'textbox "{URIS}" multiline, described by "{URI_HINT}',
        f'group "Scope" described by "{SCOPE_HINT}"',
        'searchbox "Find a scope"',
        'button "Chosen (0)" not pressed',
        'heading "People and organization" level 2',
        'group "User basic info user-basic-info"',
        'checkbox "Allow" not checked',
        'group "Users users sensitive"',
        'checkbox "Read only" not checked',
        'checkbox "Read and change" not checked',
    ),
    "wizard_2_redirects_and_scope_with_errors": (
        "Redirects and scope",
        'alert "There is a problem"',
        'link "Line 1: use https."',
        'link "Line 2: remove the part after #."',
        'link "126 addresses; the most is 125."',
        'link "Choose at least one scope."',
        f'textbox "{URIS}" invalid, multiline, described by "{URI_HINT} Error: Line 1: use https. Error: Line 2: remove',
        f'group "Scope" described by "{SCOPE_HINT} Error: Choose at least one scope."',
    ),
    "wizard_2_scope_for_assertions": (
        "Scope",
        f'group "Scope" described by "{SCOPE_HINT}"',
        'list "Chosen scopes"',
        'button "Remove users"',
        'button "Chosen (2)" not pressed',
        'group "Users users sensitive"',
        'checkbox "Read and change" checked',
    ),
    "wizard_3": (
        "Token duration",
        'link "Done: Client details"',
        'link "Done: Assign Roles"',
        f'textbox "Token Duration in seconds" described by "{SECONDS_HINT}"',
        'group "Common durations"',
        'button "1 day" pressed',
        'button "2 days" not pressed',
        'region "Summary"',
        'link "Change – Roles"',
        'DisclosureTriangle "Permissions per division" collapsed',
        'button "Back"',
        'button "Save"',
    ),
    "wizard_3_for_an_app_with_errors": (
        "Token duration",
        'link "Done: Redirects and scope"',
        'alert "There is a problem"',
        f'link "{OUT_OF_RANGE}"',
        f'textbox "Token Duration in seconds" invalid, described by "{SECONDS_HINT} Error: {OUT_OF_RANGE}"',
        'link "Change – Authorized redirect URIs"',
        'link "Change – Scope"',
    ),
    **dict.fromkeys(
        ("secret_of_a_new_client", "secret_of_a_new_app", "secret_of_a_new_saml_app"),
        (
            "",
            'heading "Client Secret" level 1',
            'navigation "Progress"',
            'textbox "Client ID" readonly',
            'button "Copy – Client ID"',
            'textbox "Client Secret" readonly, described by "',
            'button "Show" not pressed',
            'button "Copy – Client Secret"',
            'link "Generate new secret"',
            'tablist "Quick start"',
            'tab "',
            'tabpanel "',
            'link "Finish"',
        ),
    ),
}


@pytest.mark.parametrize("name", TOLD)
def test_a_step_is_told_in_full(name, play, server, looker):
    current, *expected = TOLD[name]
    looker.set_viewport_size({"width": 1280, "height": 900})
    looker.goto(server.show(play(every_screen()[name], ["en"])["en"]))
    told = heard(looker)
    rest = iter(told)
    for line in expected:
        assert any(one.startswith(line) for one in rest), (
            f"{line}\nis not heard, or not here:\n" + "\n".join(told)
        )
    for line in told:
        role, _, about = line.partition(' "')
        assert role not in CONTROLS or not about.startswith('"'), f"without a name: {line}"
        assert " invalid" not in line or "Error: " in line, f"wrong, and nobody says why: {line}"
    # Chromium does not tell which step is the current one; what it makes of the attribute is its own matter.
    steps = looker.locator("nav[aria-label=Progress] [aria-current=step]")
    assert [step.split("\n")[-1] for step in steps.all_inner_texts()] == ([current] if current else [])
    assert ("Error" in looker.title()) == ("_with_errors" in name)
