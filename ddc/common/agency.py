"""Who we are, for every page that people see."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def context(request: HttpRequest) -> dict[str, Any]:
    """Give each template the agency's name and how to reach it."""
    return {
        "agency": {part: getattr(settings, f"AGENCY_{part.upper()}") for part in ("name", "address", "phone", "email")}
    }
