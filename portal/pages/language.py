"""The switch of the pages' language."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import Resolver404, resolve
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from ddc.common import page_language
from portal.pages import pages

_YEAR = 365 * 86400


@never_cache
@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """Remember a language in this browser, and return to the page."""
    response = redirect(_page(request.POST.get("page", "")))
    if (language := request.POST.get("language", "")) in page_language.codes():
        response.set_cookie(page_language.COOKIE, language, max_age=_YEAR, **pages.COOKIE_OPTIONS)
    return response


def _page(path: str) -> str:
    """Return the path if it is one of the portal's pages, else that of the first page."""
    if path.startswith(f"{pages.PATH}/"):
        try:
            resolve(path)
        except Resolver404:
            return pages.PATH
        return path
    return pages.PATH
