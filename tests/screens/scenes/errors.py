"""Pages that say no: with the frame of somebody who is signed in, and without."""

from __future__ import annotations

import uuid

from django.http import HttpResponse
from django.test import Client as Browser
from django.urls import reverse

from tests.screens.catalogue import screen
from tests.screens.stage import Stage


@screen("", status=404)
def not_found(stage: Stage) -> HttpResponse:
    return stage.ada.get("/admin/nowhere/")


@screen("", status=404)
def not_found_for_a_stranger(stage: Stage) -> HttpResponse:
    return stage.browser().get("/nowhere/")


@screen("roles", status=403)
def permission_missing(stage: Stage) -> HttpResponse:
    return stage.eve.get(reverse("roles"))


@screen("oauth-client-add-step", status=404)
def nothing_there(stage: Stage) -> HttpResponse:
    return stage.ada.get(reverse("oauth-client-add-step", args=[uuid.uuid4(), "details"]))


@screen("", status=500)
def server_error(stage: Stage) -> HttpResponse:
    browser = stage.ada
    stage.settings.ROOT_URLCONF = "tests.config.test_pages"
    return browser.get("/boom/")


@screen("role-new", status=403)
def form_expired(stage: Stage) -> HttpResponse:
    browser = Browser(enforce_csrf_checks=True, headers={"accept-language": stage.language})
    browser.force_login(stage.cast.ada)
    return browser.post(reverse("role-new"), {"name": "Kept"}, headers={"origin": "http://testserver"})


@screen("role-new", status=413)
def too_large(stage: Stage) -> HttpResponse:
    browser = Browser(enforce_csrf_checks=True, headers={"accept-language": stage.language})
    browser.force_login(stage.cast.ada)
    stage.settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    return browser.post(reverse("role-new"), {"name": "x" * 2000})


@screen("", status=409)
def no_longer_possible(stage: Stage) -> HttpResponse:
    browser = stage.ada
    stage.settings.ROOT_URLCONF = "tests.config.test_pages"
    return browser.get("/conflict/")


@screen("", status=400)
def cannot_be_done(stage: Stage) -> HttpResponse:
    browser = stage.ada
    stage.settings.ROOT_URLCONF = "tests.config.test_pages"
    return browser.get("/invalid/")
