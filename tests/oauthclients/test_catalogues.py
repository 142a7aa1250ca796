from __future__ import annotations

from oauthclients import grant_types, scopes
from oauthclients.authorization_server.server import Server
from oauthclients.console import tables


def test_the_catalogue_holds_the_134_scopes_of_the_wire_contract():
    assert len(scopes.CATALOGUE) == 134
    assert {"users", "users:readonly", "user-basic-info", "audits:readonly"} <= scopes.CATALOGUE.keys()
    assert not {"audits", "search", "upload:readonly", "user-basic-info:readonly"} & scopes.CATALOGUE.keys()


def test_every_scope_has_a_sentence_in_plain_words():
    assert scopes.CATALOGUE["users"].sentence == "See and change people"
    assert scopes.CATALOGUE["users:readonly"].sentence == "See people"
    assert all(scope.sentence for scope in scopes.CATALOGUE.values())


def test_of_both_forms_the_wider_one_stays():
    assert scopes.narrowed(["users:readonly", "users", "oauth:readonly", "oauth:readonly"]) == [
        "oauth:readonly",
        "users",
    ]


def test_the_four_grants_are_spelled_as_on_the_wire():
    assert [grant.wire for grant in grant_types.GRANT_TYPES] == [
        "CLIENT-CREDENTIALS",
        "CODE",
        "TOKEN",
        "SAML2-BEARER",
    ]


def test_a_grant_is_said_to_be_answered_exactly_if_the_server_knows_it():
    server = Server(None)
    known = server.grant_types.keys() | server.response_types.keys()

    for grant in grant_types.GRANT_TYPES:
        assert grant.answered is bool({grant.grant_type, grant.response_type} & known), grant.code


def test_every_family_of_scopes_stands_under_one_topic_of_the_list():
    groups = tables.scope_groups(["users:readonly", "oauth"])
    entries = [entry for group in groups for entry in group["entries"]]

    names = [entry["name"] for entry in entries]
    assert sorted(names) == sorted({scope.family for scope in scopes.CATALOGUE.values()})
    assert {name for _topic, families in scopes.TOPICS for name in families} <= set(names)
    assert all(group["entries"] for group in groups)
    assert {entry["name"]: entry["choice"] for entry in entries if entry["choice"]} == {
        "users": "readonly",
        "oauth": "full",
    }


def test_titles_of_scopes_are_words():
    labels = {
        entry["name"]: entry["label"] for group in tables.scope_groups([]) for entry in group["entries"]
    }

    assert labels["infrastructureascode"] == "Infrastructure as code"
    assert labels["webdeployments"] == "Web deployments"
    assert labels["oauth"] == "OAuth"
    assert labels["data-privacy"] == "Data privacy"
