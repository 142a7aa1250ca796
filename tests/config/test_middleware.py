from __future__ import annotations

import pytest
from django.test import Client as Browser
from django.test import RequestFactory

from accounts.models import AuditEvent
from config.middleware import client_address


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "", "192.0.2.1"),
        (0, "203.0.113.9", "192.0.2.1"),  # nobody in front may say so
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "198.51.100.66, 203.0.113.9", "203.0.113.9"),  # what the sender made up stands further left
        (2, "198.51.100.66, 203.0.113.9, 10.0.0.1", "203.0.113.9"),
        (2, "203.0.113.9", "192.0.2.1"),  # fewer hops than there are proxies
        (1, "", "192.0.2.1"),
        (1, "not an address", None),
        (1, "2001:db8::1", "2001:db8::1"),
    ],
)
def test_the_address_is_the_one_that_the_outermost_trusted_proxy_saw(settings, proxies, forwarded, address):
    settings.TRUSTED_PROXIES = proxies
    request = RequestFactory().get("/", REMOTE_ADDR="192.0.2.1", HTTP_X_FORWARDED_FOR=forwarded)

    assert client_address(request) == address


def test_the_audit_trail_names_the_request_that_the_answer_names(cast):
    response = Browser(REMOTE_ADDR="192.0.2.1").post(
        "/sign-in/", {"email": cast.ada.email, "password": "a long enough password"}
    )

    line = AuditEvent.objects.get(action="user.signedIn")
    assert (str(line.request_id), line.address) == (response["ININ-Correlation-Id"], "192.0.2.1")


def test_a_made_up_request_id_is_not_taken_over(db):
    sent = "11111111-1111-4111-8111-111111111111"

    answered = Browser().get("/healthz", headers={"ININ-Correlation-Id": sent})["ININ-Correlation-Id"]

    assert answered != sent
