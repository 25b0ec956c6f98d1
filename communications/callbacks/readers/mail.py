"""Callbacks of the mail services that anymail knows, checked and parsed by anymail's own views."""

import warnings
from datetime import datetime
from functools import cache
from importlib import import_module
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest

from communications.callbacks.readers.mail_events import read_event
from communications.channels.events import CallbackEvent, NotAuthentic

#: The end of the name of anymail's view, by kind.
_VIEWS = {"tracking": "TrackingWebhookView", "inbound": "InboundWebhookView"}


class AnymailReader:
    """Read one service's callbacks. ``prefix`` begins the names of anymail's views in ``anymail.webhooks.<name>``."""

    def __init__(self, name: str, prefix: str) -> None:
        self.name, self._prefix = name, prefix

    def handles(self, kind: str) -> bool:
        return _view_class(self.name, self._prefix, kind) is not None

    def verify(self, kind: str, request: HttpRequest) -> None:
        view = self.view(kind, request)
        try:
            view.run_validators(request)
        except Exception as error:  # A callback that cannot be checked is not authentic.
            raise NotAuthentic from error

    def parse(self, kind: str, request: HttpRequest) -> list[CallbackEvent]:
        return [read_event(self.name, event) for event in self.view(kind, request).parse_events(request)]

    def refuse_replay(self, events: list[CallbackEvent], request: HttpRequest, *, now: datetime) -> list[CallbackEvent]:
        return events

    def view(self, kind: str, request: HttpRequest) -> Any:
        """Return anymail's view, which checks a signature or else the shared secret.

        :raises NotAuthentic: if the service is not configured
        """
        from anymail.exceptions import AnymailError

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # anymail warns of a missing secret, which is refused below.
                view = _view_class(self.name, self._prefix, kind)(**self.options(request))
        except (AnymailError, ImproperlyConfigured, ValueError, ImportError) as error:
            raise NotAuthentic from error
        if not view.warn_if_no_basic_auth:
            view.basic_auth = []  # It checks a signature, so the shared secret is not required too.
        elif not view.basic_auth:
            raise NotAuthentic
        return view

    def options(self, request: HttpRequest) -> dict[str, Any]:
        """Return arguments of anymail's view that are not settings."""
        return {}


class Mandrill(AnymailReader):
    """Mandrill signs the address that it calls."""

    def __init__(self) -> None:
        super().__init__("mandrill", "Mandrill")

    def options(self, request: HttpRequest) -> dict[str, Any]:
        return {} if "MANDRILL_WEBHOOK_URL" in settings.ANYMAIL else {"webhook_url": settings.PUBLIC_URL + request.path}


@cache
def _view_class(name: str, prefix: str, kind: str) -> Any:
    module = import_module(f"anymail.webhooks.{name}")
    return getattr(module, prefix + _VIEWS[kind], None) or getattr(module, f"{prefix}CombinedWebhookView", None)
