from __future__ import annotations

import os

SECRET_KEY = "of a server that only the bench calls"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
INSTALLED_APPS = ["bench.peers.bare_django"]
MIDDLEWARE: list[str] = []
ROOT_URLCONF = "bench.peers.bare_django.urls"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": os.environ["PGDATABASE"],
        "CONN_MAX_AGE": None,
    }
}
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
