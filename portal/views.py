"""The portal's pages: plain HTML over the same rules as the API. The debtor's token lies in a cookie no script can read."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import NON_FIELD_ERRORS
from django.core.signing import BadSignature
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from collection import deferrals, disputes
from collection.models import Debt, Dispute
from ddc.common import callers
from ddc.common.errors import DomainError, TooMany
from debtors.models import Debtor
from portal import account, otp, tokens
from portal.forms import CodeForm, DebtForm, DeferralForm, DisputeForm, PhoneForm, PortalForm

TOKEN_COOKIE = "debtor_token"  # noqa: S105
PHONE_COOKIE = "portal_phone"
_PATH = "/portal"


@never_cache
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show a debtor who is signed in their account, and anybody else where to sign in."""
    debtor = _signed_in(request)
    if debtor is None:
        response = _page(request, "sign_in", PhoneForm())
        response.delete_cookie(TOKEN_COOKIE, path=_PATH)
        return response
    return _account(request, debtor)


@never_cache
@require_POST
def request_code(request: HttpRequest) -> HttpResponse:
    """Send a code, and go on to the page that asks for it."""
    form = PhoneForm(request.POST)
    if form.is_valid():
        phone = form.cleaned_data["mobile_phone"]
        try:
            session = otp.request(phone, caller_address=callers.client_ip(request), now=timezone.now())
        except DomainError as error:
            return _refused(request, "sign_in", form, error)
        response = redirect("portal-code")
        # Signed and in no URL: a phone number belongs in no log.
        response.set_signed_cookie(PHONE_COOKIE, session.mobile_phone, max_age=settings.OTP_LIFETIME_SECONDS, **_COOKIE)
        return response
    return _page(request, "sign_in", form, status=422)


@never_cache
def enter_code(request: HttpRequest) -> HttpResponse:
    """Ask for the code, and sign in with it."""
    phone = _asked_for(request)
    if phone is None:
        return redirect("portal")
    if request.method != "POST":
        return _page(request, "code", CodeForm(), phone=phone)
    form = CodeForm(request.POST)
    if form.is_valid():
        try:
            signed_in = otp.verify(phone, form.cleaned_data["otp_code"], now=timezone.now())
        except DomainError as error:
            return _refused(request, "code", form, error, phone=phone)
        response = redirect("portal")
        response.set_cookie(TOKEN_COOKIE, signed_in.token, max_age=settings.DEBTOR_TOKEN_SECONDS, **_COOKIE)
        response.delete_cookie(PHONE_COOKIE, path=_PATH)
        return response
    return _page(request, "code", form, status=422, phone=phone)


@never_cache
@require_POST
def request_deferral(request: HttpRequest) -> HttpResponse:
    """Ask for more time on a debt."""

    def ask(debtor: Debtor, said: dict[str, Any]) -> None:
        days = said["requested_deferral_days"]
        deferrals.request(said["debt"], debtor=debtor, days=days, reason=said["reason"], now=timezone.now())

    return _of_a_debt(
        request, DeferralForm, ask, done="We have your request for more time, and will tell you what we decide."
    )


@never_cache
@require_POST
def dispute(request: HttpRequest) -> HttpResponse:
    """Dispute a debt, or a part of it."""

    def receive(debtor: Debtor, said: dict[str, Any]) -> None:
        disputes.receive(**said, debtor=debtor, channel=Dispute.Channel.PORTAL, by=None, now=timezone.now())

    done = "We have your dispute. Until it is settled we ask nothing of what you dispute."
    return _of_a_debt(request, DisputeForm, receive, done=done)


@never_cache
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the token."""
    if _signed_in(request):
        tokens.revoke(request.COOKIES[TOKEN_COOKIE])
    response = redirect("portal")
    response.delete_cookie(TOKEN_COOKIE, path=_PATH)
    return response


_COOKIE: dict[str, Any] = {"path": _PATH, "httponly": True, "samesite": "Lax", "secure": settings.HTTPS}


def _signed_in(request: HttpRequest) -> Debtor | None:
    try:
        return tokens.owner(request.COOKIES.get(TOKEN_COOKIE, ""))
    except tokens.BadToken:
        return None


def _asked_for(request: HttpRequest) -> str | None:
    """Return the phone that this browser has just asked a code for."""
    try:
        return request.get_signed_cookie(PHONE_COOKIE, max_age=settings.OTP_LIFETIME_SECONDS)
    except (KeyError, BadSignature):
        return None


def _page(
    request: HttpRequest, name: str, form: PortalForm | None = None, *, status: int = 200, **more: Any
) -> HttpResponse:
    return render(request, f"portal/{name}.html", {"form": form, **more}, status=status)


def _refused(request: HttpRequest, name: str, form: PortalForm, error: DomainError, **more: Any) -> HttpResponse:
    form.refuse(error)
    response = _page(request, name, form, status=error.status, **more)
    if isinstance(error, TooMany):
        response["Retry-After"] = str(error.retry_after)
    return response


def _of_a_debt(
    request: HttpRequest, kind: type[DebtForm], rule: Callable[[Debtor, dict[str, Any]], None], *, done: str
) -> HttpResponse:
    """Do what one of the forms of a debt asks for, and show the account again."""
    debtor = _signed_in(request)
    if debtor is None:
        return redirect("portal")
    form = kind(request.POST, debtor=debtor)
    if not form.is_valid():
        return _account(request, debtor, form, status=422)
    try:
        rule(debtor, form.cleaned_data)
    except DomainError as error:
        form.refuse(error)
        return _account(request, debtor, form, status=error.status)
    messages.success(request, done)
    return redirect("portal")


@dataclass
class _Row:
    """A debt with the forms of what may be done about it."""

    debt: account.DebtInWords
    deferral: DebtForm | None
    dispute: DebtForm | None


def _account(
    request: HttpRequest, debtor: Debtor, refused: DebtForm | None = None, *, status: int = 200
) -> HttpResponse:
    """Show the account; a form that was refused shows what was typed into it."""
    shown = account.of(debtor, today=timezone.now().date())

    def form(kind: type[DebtForm], debt: Debt) -> DebtForm:
        if isinstance(refused, kind) and str(refused["debt"].value()) == str(debt.pk):
            return _again(refused, request, debtor, debt)
        return kind(debtor=debtor, debt=debt)

    rows = [
        _Row(
            in_words,
            form(DeferralForm, in_words.debt) if in_words.may_ask else None,
            form(DisputeForm, in_words.debt) if in_words.may_dispute else None,
        )
        for in_words in shown.debts
    ]
    bound = (form for row in rows for form in (row.deferral, row.dispute) if form and form.is_bound)
    return _page(request, "account", next(bound, refused), status=status, debtor=debtor, account=shown, rows=rows)


def _again(refused: DebtForm, request: HttpRequest, debtor: Debtor, debt: Debt) -> DebtForm:
    """Return a refused form at its place on the page."""
    form = type(refused)(request.POST, debtor=debtor, debt=debt)
    if form.is_valid():  # What the form itself finds, it finds again; what a rule found is carried over.
        for name, errors in refused.errors.items():
            form.add_error(None if name == NON_FIELD_ERRORS else name, errors)
    return form
