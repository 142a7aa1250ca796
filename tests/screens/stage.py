"""What a scene of catalogue.py plays on: the standing cast in one language, and browsers of Django's that keep
no JavaScript; and the web server that shows its answer to a real one."""

from __future__ import annotations

import mimetypes
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin

from axe_playwright_python.base import AXE_SCRIPT
from django.http import HttpResponse
from django.test import Client as Browser
from lxml import html

from accounts.models import User
from tests.cast import PASSWORD, Cast

# Where the browser finds axe: from there it is compiled once, and not for each page.
AXE = "/axe.js"
FOR_EVER = {"Cache-Control": "max-age=31536000, immutable"}

Scene = Callable[["Stage"], HttpResponse]


@dataclass(frozen=True)
class Screen:
    """A page in one state. `url_name` is the address that answers; "" for one that is nobody's (404)."""

    name: str
    url_name: str
    scene: Scene
    status: int = 200


@dataclass
class Stage:
    cast: Cast
    language: str
    settings: Any
    _browsers: dict[Any, Browser] = field(default_factory=dict)

    def browser(self) -> Browser:
        """Of somebody who has not signed in. It follows no redirect."""
        return Browser(headers={"accept-language": self.language}, raise_request_exception=False)

    def as_(self, person: User) -> Browser:
        """The same one each time."""
        if person.id not in self._browsers:
            browser = self._browsers[person.id] = self.browser()
            answer = browser.post("/sign-in/", {"email": person.email, "password": PASSWORD})
            assert answer.status_code == 302, answer.content
        return self._browsers[person.id]

    @property
    def ada(self) -> Browser:
        return self.as_(self.cast.ada)

    @property
    def ben(self) -> Browser:
        return self.as_(self.cast.ben)

    @property
    def eve(self) -> Browser:
        return self.as_(self.cast.eve)

    def send(
        self,
        browser: Browser,
        page: HttpResponse | str,
        /,
        form: str = "",
        follow: bool = True,
        **typed: Any,
    ) -> HttpResponse:
        """Sends a form of a page (its address or what was answered) as it stands, but for what is typed over
        it; the form is the one with this id, else the only one of the page's main part that posts."""
        shown = browser.get(page, follow=True) if isinstance(page, str) else page
        address = shown.request["PATH_INFO"]
        if shown.request.get("QUERY_STRING"):
            address += "?" + shown.request["QUERY_STRING"]
        tree = html.fromstring(shown.content.decode())
        forms = (
            tree.xpath("//form[@id=$id]", id=form) if form else tree.xpath("//main//form[@method='post']")
        )
        assert len(forms) == 1, (address, [found.get("action") for found in forms])
        values: dict[str, Any] = {}
        for name, value in forms[0].form_values():
            values.setdefault(name, []).append(value)
        values |= {name.replace("__", "-"): value for name, value in typed.items()}
        sent = {name: value for name, value in values.items() if value is not None}
        return browser.post(
            urljoin(address, forms[0].get("action") or ""),
            urlencode(sent, doseq=True),
            content_type="application/x-www-form-urlencoded",
            follow=follow,
        )


class Server:
    """Shows the answers of scenes, with all of their headers, and static files."""

    def __init__(self, static: Path) -> None:
        pages: dict[str, HttpResponse] = {}
        self.pages = pages
        axe = AXE_SCRIPT.encode()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                path = self.path.partition("?")[0]
                if path == AXE:
                    self.answer(200, {"Content-Type": "text/javascript", **FOR_EVER}, axe)
                elif path.startswith("/static/"):
                    file = static / path.removeprefix("/static/")
                    found = file.is_file()
                    # A page that sends people on by itself would be gone before it was looked at.
                    left_out = file.name.startswith("submit-now.")
                    content = b"" if left_out or not found else file.read_bytes()
                    self.answer(
                        200 if found else 404,
                        {"Content-Type": mimetypes.guess_type(path)[0] or "text/plain", **FOR_EVER},
                        content,
                    )
                elif path in pages:
                    page = pages[path]
                    self.answer(page.status_code, dict(page.headers), page.content)
                else:
                    self.answer(404, {"Content-Type": "text/plain"}, b"")

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.answer(204, {}, b"")

            def answer(self, status: int, headers: dict[str, str], content: bytes) -> None:
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *arguments: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.base_url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def show(self, answer: HttpResponse) -> str:
        """The address at which the browser finds it, whatever method it answers here."""
        path = answer.request["PATH_INFO"]  # type: ignore[attr-defined]
        self.pages[path] = answer
        return self.base_url + path

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()
