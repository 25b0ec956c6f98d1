"""Error pages of the portal and the back office. Under API paths an error stays JSON."""

from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from agency import profile
from ddc.common.api.problems import http_problem
from ddc.common.middleware import Handler

#: The first parts of the paths of pages; "" is the home page.
_PAGES = frozenset({"", "portal", "admin", "demo"})
#: By status: what happened, and what to do. No text of the request is repeated.
_WORDS: Mapping[int, tuple[str, str]] = {
    400: ("We did not understand this request", "Please go back and try again."),
    403: ("You may not see this page", "Please sign in again, or ask someone who may."),
    404: ("There is no such page", "It may have moved, or the address may have a typing error."),
    405: ("This page cannot be used in this way", "Please start again from the first page."),
    413: ("That is too much", "Please go back and enter less."),
    500: ("Something went wrong on our side", "It is not your fault. Please try again in a few minutes."),
    503: ("We are not available right now", "Please try again in a few minutes."),
}
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
        if words and _is_page(request.path_info) and not _has_page(response):
            if getattr(response, _CSRF, False):
                words = "The page was open for too long", "Please go back, reload the page and send the form again."
            response.content = _page(request, *words).encode()
            response["Content-Type"] = "text/html; charset=utf-8"
            if response.has_header("Content-Length"):
                response["Content-Length"] = str(len(response.content))
        return response


def _is_page(path: str) -> bool:
    return path.lstrip("/").partition("/")[0] in _PAGES


def _has_page(response: HttpResponse) -> bool:
    if response.streaming:
        return True
    return response.get("Content-Type", "").startswith("text/html") and bool(response.content)


def _page(request: HttpRequest, title: str, advice: str) -> str:
    """Write the page without the request's user or session: the database may be down."""
    is_staff_page = request.path_info.startswith("/admin")
    context = {
        "title": title,
        "advice": advice,
        "agency": profile.current(without_query=True),
        "is_staff_page": is_staff_page,
    }
    return render_to_string("error.html", context)
