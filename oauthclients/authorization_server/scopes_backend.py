"""Tells django-oauth-toolkit which scopes there are, and that none is given unless asked for."""

from __future__ import annotations

from typing import Any

from oauth2_provider.scopes import BaseScopes

from oauthclients import scopes


class ScopesBackend(BaseScopes):
    def get_all_scopes(self) -> dict[str, str]:
        return {name: scope.sentence for name, scope in scopes.CATALOGUE.items()}

    def get_available_scopes(
        self, application: Any = None, request: Any = None, *args: Any, **kwargs: Any
    ) -> list[str]:
        return list(application.scope) if application else list(scopes.CATALOGUE)

    def get_default_scopes(
        self, application: Any = None, request: Any = None, *args: Any, **kwargs: Any
    ) -> list[str]:
        # The toolkit's own default is every scope there is.
        return []
