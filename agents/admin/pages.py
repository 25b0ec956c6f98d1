"""Parts that the pages of sign-in and of the own account share."""

import math
from typing import Any

import qrcode
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from qrcode.image.svg import SvgPathImage

from agents import second_factor
from agents.models import Agent

#: Not in the database before the app has proved to know it, and in no other session: nobody can have read it earlier.
_NEW_KEY = "new_app_key"


def new_key(request: HttpRequest) -> str:
    """Return the secret of the app that is being set up in this session."""
    if _NEW_KEY not in request.session:
        request.session[_NEW_KEY] = second_factor.new_key()
    return str(request.session[_NEW_KEY])


def new_app(request: HttpRequest, agent: Agent) -> dict[str, Any]:
    """Return the secret of the app that is being set up, as a QR code and as text."""
    key = new_key(request)
    return {"qr_code": _qr_code(second_factor.app_link(agent, key)), "typed_key": second_factor.typed_key(key)}


def show_recovery_codes(request: HttpRequest, codes: list[str], *, next_page: str) -> HttpResponse:
    """Show new recovery codes, the only time that they are shown."""
    request.session.pop(_NEW_KEY, None)
    context = {
        **admin.site.each_context(request),
        "title": "Your recovery codes",
        "codes": codes,
        "next_page": next_page,
        "username": request.user.get_username(),
    }
    return TemplateResponse(request, "agents/recovery_codes.html", context)


def warn_of_recovery_codes(request: HttpRequest, agent: Agent) -> None:
    """Show how many recovery codes are left after one was used."""
    status = second_factor.status(agent)
    left = status.recovery_codes if status else 0
    text = "You used a recovery code; {} of {} are left. Lost your phone? <a class='underline' href='{}'>Set up another app</a>."
    messages.warning(request, format_html(text, left, second_factor.RECOVERY_CODES, reverse("second_factor")))


def record(request: HttpRequest, text: str) -> None:
    """Record a change of the own account in the history of the back office."""
    record_of(request.user, text)


def record_of(agent: Any, text: str) -> None:
    """Record what an agent did to the own account without being signed in."""
    LogEntry.objects.log_actions(agent.pk, [agent], CHANGE, text, single_object=True)


def minutes(seconds: int) -> str:
    """Return a wait in words: seconds up to a minute, else full minutes."""
    if seconds <= 60:
        return f"{seconds} seconds"
    return f"{math.ceil(seconds / 60)} minutes"


def _qr_code(text: str) -> SafeString:
    """Return a QR code as SVG, which needs no request and no inline style."""
    image = qrcode.make(text, image_factory=SvgPathImage, box_size=10)
    return mark_safe(image.to_string(encoding="unicode"))  # noqa: S308 - It consists of numbers.
