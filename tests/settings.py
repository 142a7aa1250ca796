"""The product's settings, with the few differences that tests need. DATABASE_URL and CACHE_URL choose the
database and the cache, as everywhere."""

import os
import tempfile

os.environ.setdefault("STATE_DIR", tempfile.mkdtemp(prefix="latchkey-tests-"))
# The vendor's SDK watches all that lies in the home directory, for as long as a process runs, and what stands
# in a file there would change what it does.
os.environ["HOME"] = tempfile.mkdtemp(prefix="latchkey-home-")
os.environ["BASE_URL"] = "http://localhost:8000"
# Playwright's synchronous API runs an event loop in the thread that also uses the ORM.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

from config.settings import *  # noqa: F403

ALLOWED_HOSTS = ["*"]
catalogues.compile_all(CATALOGUES, LOCALE_PATHS[0])  # noqa: F405
# Tests say themselves when what was noted of use is written: `usage.flush()`.
USAGE_FLUSH_SECONDS = 0
# Argon2 is what people's passwords get; hashing hundreds of them proves nothing more.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    **STORAGES,  # noqa: F405
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
MIDDLEWARE = [name for name in MIDDLEWARE if "whitenoise" not in name]  # noqa: F405

# Each process that runs tests has its own database (pytest-django sees to that), database file, and cache.
_worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):  # noqa: F405
    # A file: an in-memory database cannot be shared well with the server thread of the journeys.
    DATABASES["default"]["TEST"] = {"NAME": str(STATE_DIR / f"tests-{_worker}.sqlite3")}  # noqa: F405
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 0  # noqa: F405
if CACHES["default"]["BACKEND"].endswith("RedisCache"):  # noqa: F405
    _base, _slash, _number = CACHES["default"]["LOCATION"].rpartition("/")  # noqa: F405
    CACHES["default"]["LOCATION"] = f"{_base}/{int(_number) + int(_worker)}"  # noqa: F405
