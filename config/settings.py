"""Every setting of Latchkey, read from the environment (or `.env`) with django-environ.

docs/operations.md lists the variables; without any, this is a local installation on SQLite.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONE, SELF

from config import catalogues, first_run, regions
from config.environment import Env

BASE_DIR = Path(__file__).resolve().parent.parent
env = Env()
env.read_env(BASE_DIR / ".env")

# --- Where it runs -----------------------------------------------------------------------------

STATE_DIR = Path(env.str("STATE_DIR", default=str(BASE_DIR / "var")))
HOST = env.str("HOST", default="127.0.0.1")
PORT = env.int("PORT", default=8000)
WORKERS = env.int("WORKERS", default=1)
THREADS = env.int("THREADS", default=0)  # 0: as many as suit the database
# How people and programs reach it; behind a proxy, the address of the proxy.
_visible_host = {"0.0.0.0": "localhost", "::": "localhost"}.get(HOST, f"[{HOST}]" if ":" in HOST else HOST)  # noqa: S104
BASE_URL = env.str("BASE_URL", default=f"http://{_visible_host}:{PORT}").rstrip("/")
HTTPS = urlsplit(BASE_URL).scheme == "https"

DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = env.list(
    "ALLOWED_HOSTS",
    default=sorted({"localhost", "127.0.0.1", "[::1]", urlsplit(BASE_URL).hostname or "localhost"}),
)
# How many reverse proxies in front add to X-Forwarded-For; 0 means that nobody may set it.
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)

# --- Regions -------------------------------------------------------------------------------------

# The vendor's, and this installation's own: `eu=eu.example.com,us=us.example.com` says that it is reached
# as login.eu.example.com, api.eu.example.com and so on. Without any, it is one region at BASE_URL.
REGIONS = regions.Regions(env.list("REGIONS", default=[]), base_url=BASE_URL)
ALLOWED_HOSTS = sorted({*ALLOWED_HOSTS, *REGIONS.hosts})

# --- Keys ----------------------------------------------------------------------------------------

SECRET_KEY = first_run.key(env, "SECRET_KEY", STATE_DIR)
# Client secrets are kept as HMACs under this key. It is separate from SECRET_KEY, so that the
# latter can be changed (which only signs people out) without ending every client's secret.
CLIENT_SECRET_KEY = first_run.key(env, "CLIENT_SECRET_KEY", STATE_DIR)

# The key that signs what goes to identity providers, with its certificate, both in PEM in one file; made
# when it is first needed. Several machines share one.
SAML_KEY_FILE = env.str("SAML_KEY_FILE", default=str(STATE_DIR / "saml-signing.pem"))

# --- Applications --------------------------------------------------------------------------------

INSTALLED_APPS = [
    "config",
    "oauthclients",
    "accounts",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "oauth2_provider",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",  # the files of Swagger UI
    "corsheaders",
    "axes",
    "csp",
]

MIDDLEWARE = [
    "config.middleware.RequestOriginMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "config.middleware.ShortWayMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.compression.CompressedPagesMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "config.languages.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.sign_in.idle.IdleSignOutMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "config.languages.PersonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "config.middleware.NoStoreMiddleware",
    "config.middleware.DomainErrorMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
                "config.navigation.frame",
            ],
        },
    }
]

# --- Database and cache --------------------------------------------------------------------------

DATABASES: dict[str, dict[str, Any]] = {
    "default": env.db("DATABASE_URL", default=f"sqlite:///{STATE_DIR / 'latchkey.sqlite3'}")
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"].setdefault("OPTIONS", {}).update(
        # IMMEDIATE: a transaction that will write waits for the lock at its start instead of failing
        # in the middle, and what it has read cannot change under it.
        transaction_mode="IMMEDIATE",
        timeout=20,
        init_command="PRAGMA journal_mode=WAL; PRAGMA cache_size=-65536; PRAGMA mmap_size=268435456;",
    )
    # Opened anew for each request, it would have read nothing of the file yet.
    DATABASES["default"].setdefault("CONN_MAX_AGE", None)
else:
    DATABASES["default"].setdefault("CONN_MAX_AGE", 600)
    DATABASES["default"].setdefault("CONN_HEALTH_CHECKS", True)
    if env.bool("DATABASE_PREPARE", default=True):
        # The statements of accounts/statements.py are planned once per connection. A connection pooler that
        # gives each transaction another connection may not be able to do that.
        DATABASES["default"].setdefault("OPTIONS", {}).setdefault("prepare_threshold", 1)

CACHES: dict[str, dict[str, Any]] = {"default": env.cache("CACHE_URL", default="locmemcache://")}
if CACHES["default"]["BACKEND"].endswith("RedisCache"):
    # One that accepts connections and does not answer is not waited for.
    for _patience in ("socket_timeout", "socket_connect_timeout"):
        CACHES["default"].setdefault("OPTIONS", {}).setdefault(_patience, 0.5)

# --- People signing in ---------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "accounts.sign_in.backend.EmailBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
    )
]
LOGIN_URL = "sign-in"
# Says for which app somebody signs in (accounts/sign_in/views.py `continuing_to`).
SIGN_IN_LEADS_TO = "oauthclients.authorization_server.authorize.continuing_to"
LOGIN_REDIRECT_URL = "admin-home"
SESSION_ENGINE = "accounts.sign_in.sessions"
SESSION_COOKIE_NAME = "latchkey_session"
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
# A second look at the person before a secret is shown or a client is deleted (UX spec 7).
RECENT_SIGN_IN_SECONDS = 15 * 60

AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=5)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
# The name under which `authenticate` is given the email. Axes would look for "email", find nothing, and
# count the failures of everybody together and for nobody.
AXES_USERNAME_FORM_FIELD = "username"
AXES_LOCKOUT_CALLABLE = "accounts.sign_in.lockout.keep_response"
AXES_CLIENT_IP_CALLABLE = "config.middleware.client_address"
# Nothing of the form is kept, and no list of who signed in: the audit trail has that.
AXES_SENSITIVE_PARAMETERS = ["username", "email", "password", "next", "csrfmiddlewaretoken"]
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False
AXES_ENABLE_ADMIN = False

# --- Identity providers (SAML) -------------------------------------------------------------------

# How far a provider's clock and ours may be apart (wire contract I).
SAML_CLOCK_SKEW_SECONDS = 10
# An assertion that says it is good for longer than this from now is refused: it would have to be
# remembered for as long.
SAML_LONGEST_SECONDS = env.int("SAML_LONGEST_SECONDS", default=2 * 60 * 60)
# Decoded. A larger one is refused before it is looked at.
SAML_LARGEST_BYTES = 128_000
# How long somebody may take at the provider.
SAML_SIGN_IN_SECONDS = 15 * 60

# --- OAuth ---------------------------------------------------------------------------------------

# However often it is refreshed, an app's sign-in ends after this (ASVS 10.4.8).
REFRESH_TOKEN_SECONDS = env.int("REFRESH_TOKEN_SECONDS", default=30 * 24 * 60 * 60)
# How long the identical refresh may be sent again, by a client that did not get the answer.
REFRESH_GRACE_SECONDS = env.int("REFRESH_GRACE_SECONDS", default=10)
# In an organization with an idle timeout: give refresh tokens that die with the idle clock, or none.
REFRESH_TOKENS_WITH_IDLE_TIMEOUT = env.bool("REFRESH_TOKENS_WITH_IDLE_TIMEOUT", default=True)
OAUTH2_PROVIDER_APPLICATION_MODEL = "oauthclients.Client"
OAUTH2_PROVIDER_ACCESS_TOKEN_MODEL = "oauth2_provider.AccessToken"  # the default, which migrations name
OAUTH2_PROVIDER = {
    "OAUTH2_VALIDATOR_CLASS": "oauthclients.authorization_server.validator.Validator",
    "OAUTH2_SERVER_CLASS": "oauthclients.authorization_server.server.Server",
    "SCOPES_BACKEND_CLASS": "oauthclients.authorization_server.scopes_backend.ScopesBackend",
    "OIDC_ISS_ENDPOINT": BASE_URL,  # the `iss` of every answer, and the issuer of the metadata
    "AUTHORIZATION_CODE_EXPIRE_SECONDS": 60,
    "REFRESH_TOKEN_EXPIRE_SECONDS": REFRESH_TOKEN_SECONDS,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "DEFAULT_SCOPES": [],
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https"],
    # RFC 9700: each of these is off in django-oauth-toolkit until asked for.
    **{
        f"COMPLIANT_BCP_RFC9700_{name}": True
        for name in (
            "ACCESS_TOKEN_TRANSPORT",
            "AUTHZ_RESPONSE_ISS",
            "IMPLICIT_GRANT",
            "PASSWORD_GRANT",
            "PKCE_REQUIRED",
            "PKCE_METHOD",
            "REDIRECT_URI_SCHEME",
            "REDIRECT_URI_MATCHING",
            "REFRESH_TOKEN",
            "TOKEN_STORAGE",
        )
    },
}
# At most this many in one organization (wire contract C3 auth.too.many.clients, D4 max.scopes.exceeded).
MAX_CLIENTS_PER_ORGANIZATION = env.int("MAX_CLIENTS_PER_ORGANIZATION", default=1000)
MAX_DIVISIONS_PER_ORGANIZATION = env.int("MAX_DIVISIONS_PER_ORGANIZATION", default=1000)
MAX_ROLES_PER_ORGANIZATION = env.int("MAX_ROLES_PER_ORGANIZATION", default=1000)

# --- Mail ----------------------------------------------------------------------------------------

# smtp+tls://user:password@host:587, or smtp+ssl://. Without it, mails are written to files, for whoever
# looks after the machine.
MAIL_DIR = STATE_DIR / "mail"
MAIL_IS_SENT = bool(env.str("EMAIL_URL", default=""))
if MAIL_IS_SENT:
    vars().update(env.email("EMAIL_URL"))
else:
    EMAIL_BACKEND = "config.mail.FileBackend"
    EMAIL_FILE_PATH = str(MAIL_DIR)
EMAIL_TIMEOUT = env.int("EMAIL_TIMEOUT", default=10)
DEFAULT_FROM_EMAIL = env.str(
    "MAIL_FROM", default=f"Latchkey <latchkey@{urlsplit(BASE_URL).hostname or 'localhost'}>"
)
# How long the link of an invitation works.
INVITATION_SECONDS = env.int("INVITATION_SECONDS", default=7 * 86_400)

# --- Rates (per minute; 0 switches one off) ------------------------------------------------------

# Each try costs a deliberately slow password hash, whoever it is for.
RATE_SIGN_INS_PER_ADDRESS = env.int("RATE_SIGN_INS_PER_ADDRESS", default=60)
# Messages of identity providers, through the browser; a sign-in takes three.
RATE_SSO_PER_ADDRESS = env.int("RATE_SSO_PER_ADDRESS", default=600)
RATE_TOKEN_FAILURES = env.int("RATE_TOKEN_FAILURES", default=300)
RATE_TOKENS_PER_CLIENT = env.int("RATE_TOKENS_PER_CLIENT", default=0)
RATE_API_PER_TOKEN = env.int("RATE_API_PER_TOKEN", default=3000)
# Wire contract G4, request.bytes.max.
DATA_UPLOAD_MAX_MEMORY_SIZE = 512_000
# The role table sends a field for each division that is ticked, of 84 bytes: the bytes are the limit, and
# never this, which answers without a word to the person.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000

# --- Housekeeping (config/housekeeping.py) -------------------------------------------------------

# How often each worker offers to remove what has ended; one at a time does. 0: only `manage.py purge` does.
PURGE_EVERY_SECONDS = env.int("PURGE_EVERY_SECONDS", default=60)
# Use is noted in memory and written down so often (services/usage.py).
USAGE_FLUSH_SECONDS = max(0.1, env.float("USAGE_FLUSH_SECONDS", default=2.0))
# Kept for so many days; 0 for ever.
AUDIT_RETENTION_DAYS = env.int("AUDIT_RETENTION_DAYS", default=0)
USAGE_RETENTION_DAYS = env.int("USAGE_RETENTION_DAYS", default=400)

# --- API -----------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["oauthclients.resource_server.bearer.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["oauthclients.resource_server.guard.Guarded"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["oauthclients.api.parsing.LenientJSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "oauthclients.api.parsing.AlwaysJSON",
    "DEFAULT_THROTTLE_CLASSES": ["oauthclients.resource_server.throttle.PerTokenThrottle"],
    "EXCEPTION_HANDLER": "oauthclients.api.errors.handle",
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,
    "DEFAULT_SCHEMA_CLASS": "oauthclients.api.schema.Schema",
}
# The OpenAPI document, at /api/schema.
SPECTACULAR_SETTINGS = {
    "OAS_VERSION": "3.1.1",
    "TITLE": "Latchkey",
    "VERSION": "v2",
    "SERVERS": [{"url": BASE_URL}],
    "CAMELIZE_NAMES": True,
    # The components are named where they are written (oauthclients/api/components.py).
    "POSTPROCESSING_HOOKS": [],
}

# --- Browser apps (CORS) -------------------------------------------------------------------------

# Which origins: resource_server/cors.py. The metadata, open to everybody, sets its header itself.
CORS_URLS_REGEX = r"/(oauth/(token|revoke)|api/v2(/.*)?)\Z"
CORS_ALLOW_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
CORS_ALLOW_HEADERS = [
    "accept",
    "accept-language",
    "authorization",
    "content-type",
    "if-match",
    "purecloud-sdk",
]
CORS_EXPOSE_HEADERS = [
    "ININ-Correlation-Id",
    "inin-ratelimit-count",
    "inin-ratelimit-allowed",
    "inin-ratelimit-reset",
    "Retry-After",
    "WWW-Authenticate",
    "Latchkey-Notice",
]
CORS_PREFLIGHT_MAX_AGE = 600

# --- Headers -------------------------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "latchkey_csrf"
CSRF_FAILURE_VIEW = "config.views.expired_form"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
if HTTPS:
    CSRF_TRUSTED_ORIGINS = [BASE_URL, *REGIONS.origins]

# --- Language, time, static files ----------------------------------------------------------------

LANGUAGE_CODE = "en"
# Every catalogue that lies here, and English: a language needs nothing else (config/catalogues.py).
CATALOGUES = BASE_DIR / "locale"
LANGUAGES = [(code, catalogues.name_of(code)) for code in catalogues.languages(CATALOGUES)]
LOCALE_PATHS = [STATE_DIR / "locale"]  # compiled: `manage.py catalogues`, which `serve` runs
USE_I18N = USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATIC_ROOT = STATE_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# --- Logs ----------------------------------------------------------------------------------------

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"redact": {"()": "config.logs.RedactCredentials"}},
    "formatters": {"line": {"()": "config.logs.LineFormatter"}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "filters": ["redact"], "formatter": "line"},
    },
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        # oauthlib prints issued tokens at DEBUG, so it never gets there, whatever LOG_LEVEL says.
        "oauthlib": {"level": "INFO"},
        "oauth2_provider": {"level": "INFO"},
        "django": {"handlers": [], "propagate": True},
        "django.server": {"handlers": [], "propagate": True},
        "axes": {"level": "WARNING"},
    },
}
