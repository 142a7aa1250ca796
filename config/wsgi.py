"""The WSGI entry point, for `manage.py serve` and for any other server."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django = get_wsgi_application()

from config.programs import Programs  # noqa: E402  # which needs the settings

application = Programs(django)
