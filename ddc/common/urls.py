"""Routes that belong to no domain: the front page, health and the description of the API."""

from django.urls import path
from django.views.generic import TemplateView
from drf_spectacular.views import SpectacularSwaggerSplitView

from ddc.common.views import HealthView, SchemaView

urlpatterns = [
    path("", TemplateView.as_view(template_name="home.html"), name="home"),
    path("health", HealthView.as_view({"get": "retrieve"}), name="health"),
    path("schema", SchemaView.as_view(), name="schema"),
    path("docs", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
]
