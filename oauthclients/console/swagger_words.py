"""What Swagger UI says itself, which speaks English alone, in the language of the page:
static/js/swagger-ui.js puts it in as it is drawn."""

from __future__ import annotations

import json

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

# As Swagger UI writes it: a text, or a part of one between two elements, without spaces around it;
# {} is what differs from time to time.
_SAID = (
    gettext_noop("Add"),
    gettext_noop("Additional properties"),
    gettext_noop("All lines must be strings"),
    gettext_noop("API requires the following scopes. Select which ones you want to grant to Swagger UI."),
    gettext_noop("Apply credentials"),
    gettext_noop("Apply given OAuth2 credentials"),
    gettext_noop("authorization button locked"),
    gettext_noop("authorization button unlocked"),
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
    gettext_noop("Copy code to clipboard"),
    gettext_noop("Copy cURL command to clipboard"),
    gettext_noop("Copy path to clipboard"),
    gettext_noop("Description"),
    gettext_noop("Details"),
    gettext_noop("Download"),
    gettext_noop("Edit Value"),
    gettext_noop("Enum"),
    gettext_noop("Error"),
    gettext_noop("Error: {}"),
    gettext_noop("Errors"),
    gettext_noop("Example Value"),
    gettext_noop("Execute"),
    gettext_noop("Expand all"),
    gettext_noop("Expand operation"),
    gettext_noop("Failed to fetch."),
    gettext_noop("Filter by tag"),
    gettext_noop("Flow:"),
    gettext_noop("For '{}': {}"),
    gettext_noop("header."),
    gettext_noop("Hide"),
    gettext_noop("item"),
    gettext_noop("Items"),
    gettext_noop("Loading"),
    gettext_noop("Logout"),
    gettext_noop("Media Type"),
    gettext_noop("Media type"),
    gettext_noop("Name"),
    gettext_noop("Network Failure"),
    gettext_noop("No parameters"),
    gettext_noop("Parameters"),
    gettext_noop("Please correct the following validation errors and try again."),
    gettext_noop("Possible Reasons:"),
    gettext_noop("Remove authorization"),
    gettext_noop("Request body"),
    gettext_noop("Request content type"),
    gettext_noop("Request duration"),
    gettext_noop("Request URL"),
    gettext_noop("Required field is not provided"),
    gettext_noop("Reset"),
    gettext_noop("Response body"),
    gettext_noop("Response headers"),
    gettext_noop("Responses"),
    gettext_noop("Schema"),
    gettext_noop("Scopes:"),
    gettext_noop("select all"),
    gettext_noop("select none"),
    gettext_noop("Send empty value"),
    gettext_noop("Server response"),
    gettext_noop("Show"),
    gettext_noop("Token URL:"),
    gettext_noop("Try it out"),
    gettext_noop("Undocumented"),
    gettext_noop('URL scheme must be "http" or "https" for CORS request.'),
    gettext_noop("Value"),
    gettext_noop("Value must be a boolean"),
    gettext_noop("Value must be a Guid"),
    gettext_noop("Value must be a number"),
    gettext_noop("Value must be an integer"),
    gettext_noop("Value:"),
    gettext_noop("≤ {} characters"),
    gettext_noop("≤ {} items"),
    gettext_noop("≥ {} characters"),
    gettext_noop("≥ {} items"),
    gettext_noop(
        "Scopes are used to grant an application different levels of access to data on behalf of the end "
        "user. Each API may declare one or more scopes."
    ),
)


def as_json() -> str:
    """`{English: other}`, of those that differ."""
    words = {said: _(said) for said in _SAID}
    # It takes groups that a search leaves out for groups that are not there.
    words["No operations defined in spec!"] = _("No group is called that.")
    return json.dumps({said: other for said, other in words.items() if other != said}, ensure_ascii=False)
