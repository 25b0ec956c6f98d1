"""Trace work to the request that caused it: its id is in every log line, and in the rows that it wrote."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from django.db import models

from ddc.common.models import uuid7
from ddc.common.observing import logs, masking

_FORM = re.compile(r"[A-Za-z0-9._-]{8,64}", re.ASCII)
_LENGTH = 64


def begin(given: str) -> str:
    """Start tracing a request, by the caller's id if a log may show it, else by a new one."""
    fit = _FORM.fullmatch(given) and masking.mask(given) == given
    request_id = given if fit else str(uuid7())
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=request_id)
    logs.answering.set(True)
    return request_id


def end() -> None:
    """Stop tracing the request."""
    logs.answering.set(False)
    structlog.contextvars.clear_contextvars()


def current() -> str | None:
    """Return the id of the current request, or None outside of one."""
    found: str | None = structlog.contextvars.get_contextvars().get("request_id")
    return found


@contextmanager
def caused_by(request_id: str | None) -> Iterator[None]:
    """Trace work to an earlier request by the id that its row has."""
    with structlog.contextvars.bound_contextvars(request_id=request_id):
        yield


def request_id_field() -> "models.CharField[str | None, str | None]":
    """Return the column with the request's id. It has no index: to find the row of a request, read the logs."""
    return models.CharField(
        max_length=_LENGTH, null=True, blank=True, editable=False, default=current,
        help_text="The request that caused it, as the logs name it.",
    )  # fmt: skip
