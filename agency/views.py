"""The agency's logo and colours, also for pages that people see before they sign in. Their addresses change with the content."""

import re

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from agency import colours as shades
from agency import profile
from agency.models import AgencyProfile
from creditors.models import CreditorLook

_FOREVER = "public, max-age=31536000, immutable"
_DIGEST = re.compile(r"[0-9A-Za-z]{1,64}", re.ASCII)
_CODE = re.compile(r"[0-9a-f]{6}", re.ASCII)


@csrf_exempt  # It accepts no input.
@require_safe
def colours(request: HttpRequest, code: str) -> HttpResponse:
    """Answer the style sheet of a colour; an empty one for the theme's own colour."""
    if code != "default" and not _CODE.fullmatch(code):
        raise Http404
    sheet = "" if code == "default" else shades.style_sheet(shades.parse(code))
    return HttpResponse(sheet, content_type="text/css; charset=utf-8", headers={"Cache-Control": _FOREVER})


@csrf_exempt  # It accepts no input.
@require_safe
def logo(request: HttpRequest, digest: str) -> HttpResponse:
    """Answer the logo of the agency or of a creditor."""
    if not _DIGEST.fullmatch(digest):
        raise Http404
    stored = None
    for owner in (AgencyProfile, CreditorLook):
        found = owner.objects.filter(logo_version=digest).exclude(logo=None)
        stored = stored or found.values_list("logo", flat=True).first()
    if stored is None:
        raise Http404
    headers = {"Cache-Control": _FOREVER, "Content-Disposition": 'inline; filename="logo.png"'}
    return HttpResponse(bytes(stored), content_type="image/png", headers=headers)


# --- What django-unfold asks for each page of the back office.


def site_name(request: HttpRequest) -> str:
    """Return the name of the back office."""
    return profile.current().name


def site_logo(request: HttpRequest) -> str:
    """Return the address of the logo, empty without one."""
    return profile.current().logo_url


def site_style(request: HttpRequest) -> str:
    """Return the address of the style sheet with the agency's colour."""
    return profile.current().style_url
