"""Error pages of the portal and the back office. Under API paths an error stays JSON."""

from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext_noop as _

from agency import profile
from ddc.common import page_language
from ddc.common.api.problems import http_problem
from ddc.common.middleware import Handler
from ddc.common.observing import tracing

#: The first parts of the paths of pages; "" is the home page.
_PAGES = frozenset({"", "portal", "admin", "demo"})
#: By status: what happened, and what to do. No text of the request is repeated.
_WORDS: Mapping[int, tuple[str, str]] = {
    400: (_("We did not understand this request"), _("Please go back and try again.")),
    403: (_("You may not see this page"), _("Please sign in again, or ask someone who may.")),
    404: (_("There is no such page"), _("It may have moved, or the address may have a typing error.")),
    405: (_("This page cannot be used in this way"), _("Please start again from the first page.")),
    413: (_("That is too much"), _("Please go back and enter less.")),
    500: (_("Something went wrong on our side"), _("It is not your fault. Please try again in a few minutes.")),
    503: (_("We cannot reach your account now"), _("Nothing is lost. Please try again in a few minutes.")),
}
_TOO_OLD = (_("The page was open for too long"), _("Please go back, reload the page and send the form again."))
_CSRF = "csrf_failed"


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Refuse a form without its token (Django's CSRF_FAILURE_VIEW)."""
    response = http_problem(request, 403, "The form was sent without its token. Reload the page and send it again.")
    setattr(response, _CSRF, True)
    return response


class ErrorPages:
    """Turn an error without a page of its own into a page, for paths that people open in a browser."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        words = _WORDS.get(response.status_code)
        if words and _is_page(request) and not _has_page(response):
            if response.status_code == 405 and request.method == "GET" and request.path_info.startswith("/portal/"):
                return redirect("/portal")  # A tab with a sent form was opened again.
            if getattr(response, _CSRF, False):
                words = _TOO_OLD
            response.content = _page(request, *words, status=response.status_code).encode()
            response["Content-Type"] = "text/html; charset=utf-8"
            if response.has_header("Content-Length"):
                response["Content-Length"] = str(len(response.content))
        return response


def _is_page(request: HttpRequest) -> bool:
    accept = request.headers.get("Accept", "")
    wants_json = "json" in accept and "text/html" not in accept
    return request.path_info.lstrip("/").partition("/")[0] in _PAGES and not wants_json


def _has_page(response: HttpResponse) -> bool:
    if response.streaming:
        return True
    return response.get("Content-Type", "").startswith("text/html") and bool(response.content)


def _page(request: HttpRequest, title: str, advice: str, *, status: int) -> str:
    """Write the page without the request's user or session: the database may be down."""
    is_staff_page = request.path_info.startswith("/admin")
    with translation.override("en" if is_staff_page else page_language.of(request)):
        context = {
            "title": translation.gettext(title),
            "advice": translation.gettext(advice),
            "agency": profile.current(without_query=True),
            "is_staff_page": is_staff_page,
            "reference": tracing.current() if status >= 500 else None,
        }
        return render_to_string("error.html", context)
