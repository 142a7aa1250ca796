from corsheaders.signals import check_request_enabled
from django.apps import AppConfig


class OAuthClientsConfig(AppConfig):
    name = "oauthclients"

    def ready(self) -> None:
        from oauthclients.resource_server import cors  # which needs the models

        check_request_enabled.connect(cors.of_an_app)
