"""Routes of this app."""

from django.urls import path
from django.urls.resolvers import URLPattern

from agents.api import MeView, RefreshView, SignOutView, TokenView

urlpatterns: list[URLPattern] = [
    path("auth/token", TokenView.as_view({"post": "create"}), name="token"),
    path("auth/token/refresh", RefreshView.as_view({"post": "create"}), name="token-refresh"),
    path("auth/logout", SignOutView.as_view({"post": "create"}), name="logout"),
    path("auth/me", MeView.as_view({"get": "retrieve"}), name="me"),
]
