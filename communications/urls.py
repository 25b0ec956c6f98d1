"""Routes of this app."""

from django.urls import path
from django.urls.resolvers import URLPattern

from communications import views
from communications.api import CommunicationLogView, CommunicationTemplateView, ContactPreviewView
from communications.providers.base import CallbackKind
from ddc.common.api.routes import resource

urlpatterns: list[URLPattern] = [
    path(
        "communication-templates/placeholders",
        CommunicationTemplateView.as_view({"get": "placeholders"}),
        name="communication-template-placeholders",
    ),
    path(
        "communication-templates/process",
        CommunicationTemplateView.as_view({"post": "process"}),
        name="communication-template-process",
    ),
    *resource("communication-templates", CommunicationTemplateView, name="communication-template"),
    *resource("communication-logs", CommunicationLogView, name="communication-log", only="list retrieve"),
    path("debtors/<id:pk>/contact-preview", ContactPreviewView.as_view({"get": "retrieve"}), name="contact-preview"),
    path("track/open/<path:token>.gif", views.OpenView.as_view(), name="track-open"),
    path(
        "callbacks/email/<str:provider>/tracking",
        views.MailCallbackView.as_view(kind="tracking"),
        name="callback-email-tracking",
    ),
    path(
        "callbacks/email/<str:provider>/inbound",
        views.MailCallbackView.as_view(kind="inbound"),
        name="callback-email-inbound",
    ),
    *(
        path(
            f"callbacks/<str:provider>/{kind.value}",
            views.ProviderCallbackView.as_view(kind=kind),
            name=f"callback-provider-{kind.value}",
        )
        for kind in CallbackKind
    ),
    path("unsubscribe/<str:token>", views.UnsubscribeView.as_view(), name="unsubscribe"),
    path("demo/outbox", views.demo_page, name="demo-outbox"),
]
