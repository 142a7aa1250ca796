"""What Swagger UI says itself, which speaks English alone, in the language of the page:
static/js/in-words.js puts it in as it is drawn."""

from __future__ import annotations

import json

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

# As Swagger UI writes it: a text, or a part of one between two elements, without spaces around it.
_SAID = (
    gettext_noop("API requires the following scopes. Select which ones you want to grant to Swagger UI."),
    gettext_noop("Add integer item"),
    gettext_noop("Add object item"),
    gettext_noop("Add string item"),
    gettext_noop("Apply credentials"),
    gettext_noop("Apply given OAuth2 credentials"),
    gettext_noop("Authorization URL:"),
    gettext_noop("Authorize"),
    gettext_noop("Authorized"),
    gettext_noop("Available authorizations"),
    gettext_noop("Cancel"),
    gettext_noop("Clear"),
    gettext_noop("Close"),
    gettext_noop("Code"),
    gettext_noop("Collapse all"),
    gettext_noop("Collapse operation"),
    gettext_noop("Controls"),
    gettext_noop("Copy cURL command to clipboard"),
    gettext_noop("Copy code to clipboard"),
    gettext_noop("Copy path to clipboard"),
    gettext_noop("Description"),
    gettext_noop("Details"),
    gettext_noop("Download"),
    gettext_noop("Edit Value"),
    gettext_noop("Error"),
    gettext_noop("Errors"),
    gettext_noop("Example Value"),
    gettext_noop("Execute"),
    gettext_noop("Expand all"),
    gettext_noop("Expand operation"),
    gettext_noop("Extensions"),
    gettext_noop("Failed to fetch."),
    gettext_noop("Field"),
    gettext_noop("Filter by tag"),
    gettext_noop("Flow:"),
    gettext_noop("Hide"),
    gettext_noop("Links"),
    gettext_noop("Loading"),
    gettext_noop("Logout"),
    gettext_noop("Media Type"),
    gettext_noop("Media type"),
    gettext_noop("Name"),
    gettext_noop("No links"),
    gettext_noop("No operations defined in spec!"),
    gettext_noop("No parameters"),
    gettext_noop("Parameters"),
    gettext_noop("Remove authorization"),
    gettext_noop("Request URL"),
    gettext_noop("Request body"),
    gettext_noop("Request duration"),
    gettext_noop("Response body"),
    gettext_noop("Response headers"),
    gettext_noop("Responses"),
    gettext_noop("Schema"),
    gettext_noop(
        "Scopes are used to grant an application different levels of access to data on behalf of the end "
        "user. Each API may declare one or more scopes."
    ),
    gettext_noop("Scopes:"),
    gettext_noop("Send empty value"),
    gettext_noop("Server response"),
    gettext_noop("Show"),
    gettext_noop("Token URL:"),
    gettext_noop("Try it out"),
    gettext_noop("Undocumented"),
    gettext_noop("Value"),
    gettext_noop("Value:"),
    gettext_noop("authorization button locked"),
    gettext_noop("authorization button unlocked"),
    gettext_noop("header."),
    gettext_noop("select all"),
    gettext_noop("select none"),
)


def as_json() -> str:
    """`{English: other}`, of those that differ: an empty object in English."""
    words = {said: _(said) for said in _SAID}
    return json.dumps({said: other for said, other in words.items() if other != said}, ensure_ascii=False)
