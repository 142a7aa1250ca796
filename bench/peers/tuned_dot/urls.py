from __future__ import annotations

from django.urls import path

from bench.peers.tuned_dot.reads import LeastOfUser, OwnToken, OwnUser
from bench.peers.vanilla_dot.urls import urlpatterns as vanilla

urlpatterns = [
    *vanilla,
    path("users/me", OwnUser.as_view()),
    path("users/least", LeastOfUser.as_view()),
    path("tokens/me", OwnToken.as_view()),
]
