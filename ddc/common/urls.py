"""Routes that belong to no domain: the front page, health and the description of the API."""

from django.urls import path

from ddc.common.views import DocsView, HealthView, HomeView, SchemaView, metrics_page

urlpatterns = [
    path("", HomeView.as_view(), name="home"),
    path("health", HealthView.as_view({"get": "retrieve"}), name="health"),
    path("metrics", metrics_page, name="metrics"),
    path("schema", SchemaView.as_view(), name="schema"),
    path("docs", DocsView.as_view(url_name="schema"), name="docs"),
]
