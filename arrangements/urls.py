"""Routes of arrangements."""

from django.urls import path

from arrangements.api import ArrangementView, OptionsView, PolicyView
from ddc.common.api.routes import resource

_DECISIONS = ("accept", "approve", "reject", "decline", "cancel", "reinstate")

urlpatterns = [
    *resource("arrangements", ArrangementView, name="arrangement", only="list retrieve create"),
    *(path(f"arrangements/<id:pk>/{name}", ArrangementView.as_view({"put": name})) for name in _DECISIONS),
    path("arrangements/<id:pk>/changes", ArrangementView.as_view({"post": "change"})),
    path("debtors/<id:pk>/arrangement-options", OptionsView.as_view({"post": "compute"})),
    *resource("arrangement-policies", PolicyView, name="arrangement-policy", only="list retrieve create update"),
]
