"""The screens of catalogue.py, with the static files as `manage.py serve` collects them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import transaction
from django.http import HttpResponse
from django.test.utils import override_settings
from django.urls import Resolver404
from playwright.sync_api import Page

from config import settings as served
from tests.screens.catalogue import every_screen
from tests.screens.stage import Screen, Server, Stage
from tests.standing import forget

LANGUAGES = [code for code, _name in served.LANGUAGES]
SCREENS = list(every_screen().values())


@pytest.fixture(scope="session")
def collected(tmp_path_factory) -> Path:
    """The files under their hashed names, and those names compressed."""
    root = tmp_path_factory.mktemp("static")
    with override_settings(STATIC_ROOT=root, STORAGES=served.STORAGES):
        call_command(
            "collectstatic", verbosity=0, interactive=False, ignore_patterns=["redoc", "rest_framework"]
        )
    return root


@pytest.fixture
def play(cast, settings, collected) -> Callable[..., dict[str, HttpResponse]]:
    """`play(screen)`: what the screen shows, as the product answers it, by language."""
    settings.STATIC_ROOT = collected
    settings.STORAGES = served.STORAGES

    def answers(screen: Screen, languages: Sequence[str] = LANGUAGES) -> dict[str, HttpResponse]:
        shown: dict[str, HttpResponse] = {}
        for language in languages:
            if shown and (again := _again(screen, shown[languages[0]], language)):
                shown[language] = again
                continue
            forget()
            with transaction.atomic():
                shown[language] = screen.scene(Stage(cast, language, settings))
                transaction.set_rollback(
                    len(languages) > 1 and shown[language].request["REQUEST_METHOD"] != "GET"
                )
        for language, answer in shown.items():
            assert answer.status_code == screen.status, (answer.status_code, answer.content[:2000])
            assert _address_of(answer) == screen.url_name
            assert answer["Content-Type"].startswith("text/html")
            assert f'<html lang="{language}"' in answer.content.decode()
        return shown

    return answers


def _again(screen: Screen, first: HttpResponse, language: str) -> HttpResponse | None:
    """The same page in another language, where looking at it changes nothing."""
    asked = first.request  # type: ignore[attr-defined]
    if asked["REQUEST_METHOD"] != "GET":
        return None
    address = asked["PATH_INFO"] + ("?" + asked["QUERY_STRING"] if asked.get("QUERY_STRING") else "")
    headers = {"accept-language": language, "host": asked.get("HTTP_HOST", "testserver")}
    answer: HttpResponse = first.client.get(address, headers=headers)  # type: ignore[attr-defined]
    return answer


def _address_of(answer: HttpResponse) -> str:
    try:
        return answer.resolver_match.url_name or ""
    except Resolver404:
        return ""


@pytest.fixture(scope="session")
def server(collected) -> Iterator[Server]:
    found = Server(collected)
    yield found
    found.close()


@pytest.fixture(scope="session")
def looker(chromium, server) -> Iterator[Page]:
    """A window in which one screen after another is shown. Nothing moves in it, so that nothing is looked at half
    way from one colour to the next."""
    context = chromium.new_context(base_url=server.base_url, reduced_motion="reduce")
    page = context.new_page()
    page.problems = problems = []
    page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    yield page
    context.close()
