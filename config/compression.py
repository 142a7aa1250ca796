"""Pages are sent compressed; what programs get is not, and neither is a page that shows a secret.

An attacker who watches the length of encrypted answers, and gets words of his own into them, could guess a
secret letter by letter, because what repeats compresses better (BREACH). So:

- a page that shows a client's secret or a token is never compressed (`shows_secret`), though it answers a
  form, once;
- the one secret of every other page, the CSRF token, is masked anew in each (Django);
- each answer is lengthened by up to 100 random bytes (Django's "Heal the BREACH"), which hides what else
  could be guessed from lengths;
- only pages are compressed: never an answer of /oauth/token or /api/v2.
"""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

# Beside pages, the description of the API, which is the same for everybody.
COMPRESSED = ("text/html", "application/vnd.oai.openapi")


class CompressedPagesMiddleware(GZipMiddleware):
    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        kind = response.headers.get("Content-Type", "")
        if not kind.startswith(COMPRESSED) or getattr(response, "shows_secret", False):
            return response
        answer: HttpResponseBase = super().process_response(request, response)
        return answer
