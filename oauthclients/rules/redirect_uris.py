"""Which redirect URIs may be registered. Matching at the authorize endpoint is exact.

RFC 6749 3.1.2, RFC 9700 2.1 and UX spec 4.4: absolute, `https` (or `http` for loopback), no fragment,
no wildcard, no credentials, no duplicate, at most 2,000 characters, at most 125 of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from accounts.errors import Problem

MOST = 125
LONGEST = 2_000
FIELD = "registeredRedirectUri"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
# RFC 8252 7.1: a native app's own scheme is a reversed domain name, such as com.example.app:/cb.
_PRIVATE_SCHEME = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+")
_LOOPBACK_URI = re.compile(r"(?P<before>http://(127\.0\.0\.1|\[::1\]))(:[0-9]{1,5})?(?P<after>([/?].*)?)")
# RFC 3986 allows more, but such a host ends up in a Content-Security-Policy, where `;` begins a directive.
_HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+")
_SAFE = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")


def problems(lines: Sequence[str]) -> list[Problem]:
    """What is wrong, each with the number of its line (1-based). Empty lines are skipped."""
    found: list[Problem] = []
    first_seen: dict[str, int] = {}
    for number, raw in enumerate(lines, start=1):
        uri = raw.strip()
        if not uri:
            continue
        if message := problem_of(uri):
            found.append(_problem(message, number))
        elif uri in first_seen:
            found.append(
                _problem(
                    _("Line %(line)s repeats line %(first)s.") % {"line": number, "first": first_seen[uri]},
                    number,
                    whole=True,
                )
            )
        else:
            first_seen[uri] = number
    count = sum(1 for raw in lines if raw.strip())
    if count > MOST:
        found.append(
            Problem(
                FIELD,
                "constraint.validation",
                _("%(count)s addresses; the most is %(most)s.") % {"count": count, "most": MOST},
            )
        )
    return found


def problem_of(uri: str) -> str:
    """What is wrong with this one address, or nothing."""
    if len(uri) > LONGEST:
        return _("at most %(longest)s characters.") % {"longest": f"{LONGEST:,}"}
    if "*" in uri:
        return _("wildcards are not possible; enter each address.")
    if not _SAFE.fullmatch(uri):
        return _("this is not an address.")
    try:
        parts = urlsplit(uri)
        host = parts.hostname
        parts.port  # noqa: B018  # raises for a port that is not one
    except ValueError:
        return _("this is not an address.")
    if "#" in uri:
        return _("remove the part after #.")
    if parts.username is not None or parts.password is not None:
        return _("remove the name and password before the host.")
    scheme = parts.scheme.lower()
    if not scheme:
        return _("enter the whole address, starting with https://.")
    if scheme not in ("http", "https"):
        if _PRIVATE_SCHEME.fullmatch(scheme) and (parts.path or parts.netloc):
            return ""
        return _("use https.")
    if not host:
        return _("enter the whole address, starting with https://.")
    if not _HOST.fullmatch(host):
        return _("this is not an address.")
    if scheme == "http" and host not in _LOOPBACK:
        return _("use https.")
    return ""


def matches(registered: str, sent: str) -> bool:
    """Byte for byte (RFC 9700 2.1). Only the port of a loopback address may differ, because a native app
    gets one from its system at each start (RFC 8252 7.3)."""
    if registered == sent:
        return True
    bare = _without_port(registered)
    return bare is not None and bare == _without_port(sent)


def origin_of(uri: str) -> str | None:
    """The origin (RFC 6454) that a browser app with this redirect URI runs in, without a port where the
    port may differ; None for a scheme that browsers have no origins for."""
    parts = urlsplit(uri)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = parts.port
    if _is_loopback_ip(uri) or port is None or port == {"http": 80, "https": 443}[parts.scheme]:
        return f"{parts.scheme}://{host}"
    return f"{parts.scheme}://{host}:{port}"


def place_of(uri: str) -> str:
    """Where an answer goes, as far as a person can tell the difference: an origin, or an app's scheme."""
    return origin_of(uri) or f"{urlsplit(uri).scheme}:"


def is_loopback(uri: str) -> bool:
    """Whether the answer goes to a program on the person's own machine, of which nobody can tell whose it
    is (RFC 8252 8.6)."""
    parts = urlsplit(uri)
    return parts.scheme not in ("http", "https") or parts.hostname in _LOOPBACK


def _is_loopback_ip(uri: str) -> bool:
    parts = urlsplit(uri)
    return parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1")


def _without_port(uri: str) -> str | None:
    """None for what is no address on this machine, so that it equals nothing registered."""
    found = _LOOPBACK_URI.fullmatch(uri)
    return f"{found['before']}{found['after']}" if found else None


def _problem(message: str, line: int, *, whole: bool = False) -> Problem:
    if not whole:
        message = _("Line %(line)s: %(message)s") % {"line": line, "message": message}
    return Problem(FIELD, "invalid.value", message, line)
