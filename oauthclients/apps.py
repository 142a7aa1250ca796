from django.apps import AppConfig


class OAuthClientsConfig(AppConfig):
    name = "oauthclients"
