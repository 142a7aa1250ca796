"""Reads settings from the environment, as people set them: an empty variable is an absent one, and one that
makes no sense is named in one sentence."""

from __future__ import annotations

from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured


class Env(environ.Env):
    """django-environ, with those two differences. Compose files, for example, set variables to nothing."""

    def get_value(
        self, var: Any, cast: Any = None, default: Any = environ.Env.NOTSET, **kwargs: Any
    ) -> Any:
        if default is not self.NOTSET and self.ENVIRON.get(str(var), "").strip() == "":
            return default
        try:
            return super().get_value(var, cast=cast, default=default, **kwargs)
        except ValueError as error:
            raise ImproperlyConfigured(
                f"{var}={self.ENVIRON.get(str(var))!r} is not a value that this setting can have."
            ) from error
