"""Headers of every request and answer: their size, what a browser may keep, and what a page may load and run."""

from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse

from ddc.common.api.problems import http_problem
from ddc.common.middleware import Handler

#: The longest header, as in nginx. The web server accepts 400 KB, and Python's cache of parsed addresses would keep 128 of them.
MAX_HEADER = 8_192

_PAGES = {
    "default-src": "'none'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
#: Templates of django-unfold have inline styles, and its Alpine.js compiles expressions in attributes.
_BACK_OFFICE = {
    "script-src": "'self' 'unsafe-eval'",
    "style-src": "'self' 'unsafe-inline'",
    "font-src": "'self'",
    "connect-src": "'self'",
}
#: Swagger UI writes inline styles.
_DOCS = {"script-src": "'self'", "style-src": "'self' 'unsafe-inline'", "connect-src": "'self'"}


def _policy(more: Mapping[str, str]) -> str:
    return "; ".join(f"{name} {sources}" for name, sources in {**_PAGES, **more}.items())


#: The Content-Security-Policy by the first part of the path; "" stands for all others.
POLICIES = {
    "": _policy({}),
    # Of htmx, which loads parts of pages.
    "portal": _policy({"script-src": "'self'", "connect-src": "'self'"}),
    "admin": _policy(_BACK_OFFICE),
    "docs": _policy(_DOCS),
}


class Headers:
    """Refuse oversized headers, forbid storing answers, and restrict pages by a Content-Security-Policy.

    Most answers have tokens or personal data. A view whose answer may be stored sets ``Cache-Control`` itself.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if _has_long_header(request.META):
            response = http_problem(request, 431, f"A header is longer than {MAX_HEADER} bytes.")
        else:
            response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        section = request.path_info.split("/", 2)[1] if "/" in request.path_info else ""
        response.headers.setdefault("Content-Security-Policy", POLICIES.get(section, POLICIES[""]))
        return response


def _has_long_header(meta: Mapping[str, object]) -> bool:
    return any(
        name.startswith(("HTTP_", "CONTENT_")) and isinstance(value, str) and len(value) > MAX_HEADER
        for name, value in meta.items()
    )
