from django.urls import path

from oauthclients.authorization_server.views import TokenView

urlpatterns = [path("token", TokenView.as_view(), name="token")]
