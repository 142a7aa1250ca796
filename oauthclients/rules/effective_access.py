"""What a token may do, decided at each call from what is stored at that moment.

A client-credentials token has the client's role-division pairs and nothing else; scopes do not apply to
it (wire contract B3). Tokens for a person will have the intersection of the person's permissions, the
organization's authorization and the token's scopes; until that grant exists no such token does.
"""

from __future__ import annotations

from accounts import queries as account_queries
from accounts.rules.access import Access
from oauthclients.models import Client


def of_client(client: Client) -> Access:
    """The access of a client-credentials client: one statement."""
    return account_queries.access_of(client.organization_id, client.id)
