"""Which routes a scope opens is what the guard asks for."""

from __future__ import annotations

from oauthclients.api.routes import opened_by
from oauthclients.scopes import CATALOGUE
from tests.tables.test_routes import ROWS


def test_reading_and_changing_opens_more_than_reading():
    reading, changing = opened_by("users:readonly"), opened_by("users")
    assert "GET /api/v2/users/{userId}" in reading
    assert "PATCH /api/v2/users/{userId}" in changing
    assert set(reading) < set(changing)
    assert {route for route in reading if not route.startswith("GET ")} == {
        "POST /api/v2/users/search",
        # As the vendor has it (wire contract E2 and F); it takes `directory:user:edit`.
        "POST /api/v2/users/{userId}/externalid",
    }


def test_it_names_every_route_under_each_of_its_scopes():
    count = sum(len(opened_by(scope)) for scope in CATALOGUE)
    assert count == sum(len(row.scopes) for row in ROWS)


def test_a_scope_that_only_other_apis_ask_for_opens_nothing_here():
    assert opened_by("voicemail") == ()
