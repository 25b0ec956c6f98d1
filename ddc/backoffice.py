"""The frame of every page of the back office: its style sheets, scripts and the bar of those who work through a worklist."""

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static

from casework.admin import work


def tokens(request: HttpRequest) -> str:
    """Return the URL of the style sheet with the colours by meaning."""
    return static("common/tokens.css")


def style(request: HttpRequest) -> str:
    """Return the URL of our style sheet."""
    return static("common/back_office.css")


def keep_typed(request: HttpRequest) -> str:
    """Return the URL of the script that brings back what was typed when the session had ended."""
    return static("common/keep_typed.js")


def focus(request: HttpRequest) -> str:
    """Return the URL of the script that focuses the field to start with, and names choosers."""
    return static("common/focus.js")


def work_keys(request: HttpRequest) -> str:
    """Return the URL of the script with the keys of the bar of those who work through a worklist."""
    return static("casework/work.js")


def shell(request: HttpRequest) -> dict[str, Any]:
    """Return what the frame of every page shows: the bar of those who work through a worklist."""
    return {"work_bar": work.bar(request) if request.user.is_authenticated else None}
