"""Errors of the token endpoint that oauthlib does not have."""

from __future__ import annotations

from oauthlib.oauth2.rfc6749.errors import OAuth2Error


class SlowDown(OAuth2Error):
    """Too many requests (RFC 6585 4)."""

    error = "temporarily_unavailable"
    status_code = 429

    def __init__(self, retry_after: int) -> None:
        super().__init__(description="too many requests, try again later")
        self.retry_after = retry_after


class TooLarge(OAuth2Error):
    """The body is larger than any request for a token has to be."""

    error = "invalid_request"
    status_code = 413
