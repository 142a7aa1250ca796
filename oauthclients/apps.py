from corsheaders.signals import check_request_enabled
from django.apps import AppConfig


class OAuthClientsConfig(AppConfig):
    name = "oauthclients"

    def ready(self) -> None:
        # Which need the models.
        from accounts import drift
        from accounts.services import roles
        from oauthclients.resource_server import cors
        from oauthclients.services.role_changes import FollowedByClients, switched_off

        check_request_enabled.connect(cors.of_an_app)
        roles.FOLLOWERS.append(FollowedByClients())
        drift.SWITCHED_OFF.append(switched_off)
