"""Log lines: one per event, with the request they belong to, and no credentials in them."""

from __future__ import annotations

import logging
import re

from accounts.origin import origin

# Client secrets by their prefix, Authorization headers, the parameters that carry credentials, and the
# links of invitations.
_CREDENTIALS = re.compile(
    r"lks_[A-Za-z0-9_-]+"
    r"|(?<=Bearer )[A-Za-z0-9._~+/=-]{8,}"
    r"|(?<=Basic )[A-Za-z0-9+/=_-]{8,}"
    r"|(?<=access_token=)[^&\s'\"]+"
    r"|(?<=refresh_token=)[^&\s'\"]+"
    r"|(?<=client_secret=)[^&\s'\"]+"
    r"|(?<=assertion=)[^&\s'\"]+"
    r"|(?<=SAMLResponse=)[^&\s'\"]+"
    r"|(?<=code=)[^&\s'\"]+"
    r"|(?<=password=)[^&\s'\"]+"
    r"|(?<=/invitation/[0-9A-Fa-f-]{36}/)[^/\s'\"]+"
)


class RedactCredentials(logging.Filter):
    """The second net: nothing in this project logs a credential, but libraries might."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        redacted = redact(message)
        if redacted != message:
            record.msg, record.args = redacted, ()
        return True


def redact(text: str) -> str:
    """The text with anything that looks like a credential blacked out."""
    return _CREDENTIALS.sub("[removed]", text)


class LineFormatter(logging.Formatter):
    """`2026-11-20 10:00:00 INFO logger [request id] message`; tracebacks are redacted as well."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        # Django logs a refusal after the request's own middleware has ended; it passes the request along.
        here = getattr(getattr(record, "request", None), "origin", None) or origin()
        record.request_id = str(here.request_id or "-")
        return redact(super().format(record))
