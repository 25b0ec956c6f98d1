"""Routes that belong to no domain: health and the description of the API."""

from django.urls.resolvers import URLPattern

urlpatterns: list[URLPattern] = []
