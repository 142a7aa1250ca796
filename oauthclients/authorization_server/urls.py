from django.urls import path

from oauthclients.authorization_server.authorize import AuthorizeView
from oauthclients.authorization_server.introspection import IntrospectionView
from oauthclients.authorization_server.revocation import RevocationView
from oauthclients.authorization_server.views import TokenView

urlpatterns = [
    path("authorize", AuthorizeView.as_view(), name="authorize"),
    path("token", TokenView.as_view(), name="token"),
    path("revoke", RevocationView.as_view(), name="revoke"),
    path("introspect", IntrospectionView.as_view(), name="introspect"),
]
