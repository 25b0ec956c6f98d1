"""What the portal's pages have in common: the visit, the language, drafts, and how a page and a refusal are shown."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.crypto import salted_hmac
from django.views.decorators.cache import never_cache

from agents.tokens import BadToken
from ddc.common import page_language
from ddc.common.errors import DomainError, TooMany
from debtors.models import Debtor
from portal import activities, theme, tokens
from portal.authentication import Caller
from portal.pages import refusals
from portal.pages.forms import PortalForm

TOKEN_COOKIE = "portal_visit"  # noqa: S105
DRAFT_COOKIE = "portal_draft"
NEXT_COOKIE = "portal_next"
WHO_COOKIE = "portal_who"
PATH = "/portal"
COOKIE_OPTIONS: dict[str, Any] = {"path": PATH, "httponly": True, "samesite": "Lax", "secure": settings.HTTPS}
#: A draft survives one expired visit. Browsers keep cookies of at most 4 KB.
DRAFT_SECONDS = 3600
_DRAFT_BYTES = 3_000

View = Callable[..., HttpResponse]


class DebtorRequest(HttpRequest):
    """The request of a signed-in debtor."""

    debtor: Debtor


def public(view: View) -> View:
    """Show a page to everybody, in the language of the switch or the browser; it is never cached."""

    @never_cache
    @wraps(view)
    def shown(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with translation.override(page_language.of(request)):
            return view(request, *args, **kwargs)

    return shown


def signed_in(view: View) -> View:
    """Show a page to a signed-in debtor, in the debtor's language; ask others to sign in, and keep what they sent.

    Each answer renews the visit. ``request.debtor`` is the debtor.
    """

    @never_cache
    @wraps(view)
    def shown(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        debtor = debtor_of(request)
        if debtor is None:
            return _ask_to_sign_in(request)
        request.debtor = debtor  # type: ignore[attr-defined]
        with translation.override(page_language.of(request, debtor.language_preference)):
            response = view(request, *args, **kwargs)
        _record(request, response)
        if TOKEN_COOKIE not in response.cookies:
            keep_visit(response, debtor, tokens.renew(request.COOKIES[TOKEN_COOKIE], now=timezone.now()))
        return response

    return shown


#: The activity to record when the form of a page was accepted, by the page's name. A page that records it by itself is left out.
_STEPS = {
    "portal-more-time": "more_time_asked",
    "portal-request": "more_time_withdrawn",
    "portal-plan-agree": "plan_agreed",
    "portal-arrangement": "plan_changed",
    "portal-dispute": "dispute_sent",
    "portal-dispute-state": "document_handed_in",
    "portal-help": "hardship_reported",
    "portal-complain": "complaint_sent",
    "portal-budget": "budget_sent",
    "portal-budget-plan": "plan_proposed",
}


def _record(request: HttpRequest, response: HttpResponse) -> None:
    """Record the step of an accepted form; and, where open tracking is allowed, that a page was looked at."""
    if getattr(request, "viewed_by", None):
        return
    name = str(request.resolver_match and request.resolver_match.url_name)
    debtor: Debtor = request.debtor  # type: ignore[attr-defined]
    if request.method == "POST" and response.status_code == 302 and name in _STEPS:
        activities.record_step(debtor, _STEPS[name], now=timezone.now())
    elif request.method == "GET" and response.status_code == 200:
        activities.record_view(debtor, name, now=timezone.now())


def debtor_of(request: HttpRequest) -> Debtor | None:
    """Return the signed-in debtor, also as ``request.user`` for the logs and the change log."""
    token = request.COOKIES.get(TOKEN_COOKIE, "")
    try:
        debtor = tokens.owner(token, tokens.PageToken)
        tokens.renew(token, now=timezone.now())
    except BadToken:
        return None
    request.user = Caller(debtor, token)  # type: ignore[assignment]
    return debtor


def keep_visit(response: HttpResponse, debtor: Debtor, token: str) -> None:
    """Renew a visit, and remember whose it was for a draft that is sent after its end."""
    response.set_cookie(TOKEN_COOKIE, token, max_age=settings.PORTAL_IDLE_SECONDS, **COOKIE_OPTIONS)
    response.set_cookie(WHO_COOKIE, _mark(debtor), max_age=DRAFT_SECONDS, **COOKIE_OPTIONS)


def _mark(debtor: Debtor) -> str:
    return salted_hmac(WHO_COOKIE, debtor.pk.hex).hexdigest()[:32]


def forget(response: HttpResponse, *names: str) -> None:
    for name in names:
        response.delete_cookie(name, path=PATH, samesite="Lax")


def show(request: HttpRequest, name: str, *, status: int = 200, **context: Any) -> HttpResponse:
    """Answer a page of ``templates/portal``, in the look of the debtor's creditor or else of the agency."""
    debtor = getattr(request, "debtor", None)
    names = dict(settings.LANGUAGES)
    look = theme.of(debtor)
    context |= {"debtor": debtor, "agency": look, "languages": settings.LANGUAGES, "free_advice": theme.advice(debtor)}
    context["viewed_by"] = getattr(request, "viewed_by", None)
    context |= {"language_name": names[translation.get_language() or settings.LANGUAGE_CODE]}
    return render(request, f"portal/{name}.html", context, status=status)


def refuse(request: HttpRequest, name: str, form: PortalForm, error: DomainError, **context: Any) -> HttpResponse:
    """Show a page again, with a domain function's refusal at its form."""
    form.refuse(error)
    response = show(request, name, status=error.status, form=form, **context)
    if isinstance(error, TooMany):
        response["Retry-After"] = str(error.retry_after)
    return response


def submit(
    request: HttpRequest, name: str, form: PortalForm, act: Callable[[dict[str, Any]], HttpResponse], **context: Any
) -> HttpResponse:
    """Call ``act`` with a form's values and answer what it returns; show the page again where form or act refuse."""
    if not form.is_valid():
        return show(request, name, status=422, form=form, **context)
    try:
        return act(form.cleaned_data)
    except DomainError as error:
        return refuse(request, name, form, error, **context)


def message_of(error: DomainError) -> str:
    """Return a refusal in the page's language."""
    return refusals.translated(error)


# --- Drafts: what was sent after the visit had expired, and the page where it belongs


def _ask_to_sign_in(request: HttpRequest) -> HttpResponse:
    response = redirect("portal-sign-in")
    forget(response, TOKEN_COOKIE)
    if request.method == "POST":
        draft = QueryDict(mutable=True)
        for key, values in request.POST.lists():
            if key != "csrfmiddlewaretoken":
                draft.setlist(key, values)
        kept = {"path": request.path, "fields": draft.urlencode(), "who": request.COOKIES.get(WHO_COOKIE)}
        signed = signing.dumps(kept, salt=DRAFT_COOKIE, compress=True)
        if len(signed) <= _DRAFT_BYTES:
            response.set_cookie(DRAFT_COOKIE, signed, max_age=DRAFT_SECONDS, **COOKIE_OPTIONS)
        set_next(response, request.path, expired=True)
    elif request.method == "GET" and request.path != PATH:
        set_next(response, request.path, expired=TOKEN_COOKIE in request.COOKIES)
    return response


def set_next(response: HttpResponse, path: str, *, expired: bool = False) -> None:
    """Remember the page to show after the sign-in."""
    value = signing.dumps({"path": path, "expired": expired}, salt=NEXT_COOKIE)
    response.set_cookie(NEXT_COOKIE, value, max_age=DRAFT_SECONDS, **COOKIE_OPTIONS)


def next_of(request: HttpRequest) -> dict[str, Any]:
    """Return the page to show after the sign-in (``path``), and whether a visit had ``expired``."""
    return _signed(request, NEXT_COOKIE) or {"path": PATH, "expired": False}


def draft_of(request: DebtorRequest) -> QueryDict | None:
    """Return what the debtor typed on this page before the visit expired; nothing that another one typed."""
    kept = _signed(request, DRAFT_COOKIE)
    is_own = kept and kept["path"] == request.path and kept["who"] in (None, _mark(request.debtor))
    return QueryDict(kept["fields"]) if kept and is_own else None


def _signed(request: HttpRequest, name: str) -> dict[str, Any] | None:
    try:
        value: dict[str, Any] = signing.loads(request.COOKIES.get(name, ""), salt=name, max_age=DRAFT_SECONDS)
    except signing.BadSignature:
        return None
    return value
