from __future__ import annotations

from bench.peers.vanilla_dot.settings import *  # noqa: F403
from bench.peers.vanilla_dot.settings import DATABASES, INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "rest_framework", "bench.peers.tuned_dot"]
ROOT_URLCONF = "bench.peers.tuned_dot.urls"
DATABASES["default"]["CONN_MAX_AGE"] = None
PASSWORD_HASHERS = ["bench.peers.tuned_dot.hashers.OneSHA256"]
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["oauth2_provider.contrib.rest_framework.OAuth2Authentication"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
}
