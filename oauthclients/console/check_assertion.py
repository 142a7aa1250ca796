"""Integrations > OAuth > a client > Check an assertion: as the page of that name in
accounts/console/check_assertion.py, and whether this client would get a token for it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from accounts import queries as account_queries
from accounts.console.check_assertion import AssertionForm, CheckPage, Line
from accounts.console.guard import requires
from accounts.permissions import Permission
from accounts.services.assertions import Examined, Use
from oauthclients import grant_types, queries
from oauthclients.console import client_pages, words
from oauthclients.models import Client
from oauthclients.rules import effective_access


@sensitive_post_parameters()
@sensitive_variables()
@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.OAUTH_CLIENT_VIEW)
def check(request: HttpRequest, client_id: uuid.UUID) -> HttpResponse:
    return ClientCheckPage(request, client_id).answer()


class ClientCheckPage(CheckPage):
    """An app has one use for an assertion."""

    form = AssertionForm

    def __init__(self, request: HttpRequest, client_id: uuid.UUID) -> None:
        super().__init__(request)
        self.client = queries.client(self.actor.organization, client_id)

    def use(self, form: AssertionForm) -> Use:
        return Use.BEARER

    def more_lines(self, examined: Examined) -> Iterator[Line]:
        yield _of_client(self.client)
        yield _of_authorization(self.client, examined)

    def breadcrumbs(self) -> list[dict[str, str]]:
        url = reverse("oauth-client", args=[self.client.id])
        return [*client_pages.breadcrumbs(), {"label": self.client.name, "url": url}]

    def context(self) -> dict[str, Any]:
        return {"client": self.client}


def _of_client(client: Client) -> Line:
    grant = words.grant_type(client)
    if grant is not grant_types.SAML2_BEARER:
        met, sentence = False, _("It is of the type %(grant)s. Needed is SAML2 Bearer.")
    elif not client.gives_tokens():
        met, sentence = False, _("It gets no tokens. Its state is: %(state)s.")
    else:
        met, sentence = True, _("It is active, and of the type %(grant)s.")
    about = {"grant": grant.label, "state": words.state(client).text}
    return Line(_("Client"), met, sentence % about)


def _of_authorization(client: Client, examined: Examined) -> Line:
    """What the organization says about the app, and, once the assertion tells for whom it is, about that
    person's use of it."""
    label, person = _("Authorization"), examined.person
    word = queries.word_on(client.organization, client)
    permitted = effective_access.common_scopes(word, client.scope, client.scope)
    if word.barred or not permitted:
        return Line(label, False, effective_access.unauthorized().sentence)
    if person is None:
        sentence = _("The organization has authorized the app. Whether the person may use it comes last.")
        return Line(label, None, sentence)
    found = effective_access.barrier(account_queries.access_of(client.organization_id, person.id), word)
    if not found:
        return Line(label, False, _("The person holds none of the roles that may use the app."))
    scopes = ", ".join(permitted)
    return Line(
        label, True, _("The person may use the app, with the scope: %(scopes)s.") % {"scopes": scopes}
    )
