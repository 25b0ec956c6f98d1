"""The portal's pages: plain HTML over the same functions as the API. Scripts cannot read the cookie with the token."""

from collections.abc import Callable
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

from agents.tokens import BadToken
from collection import deferrals, disputes
from collection.models import Debt, Dispute
from ddc.common import callers
from ddc.common.errors import DomainError, TooMany
from debtors.models import Debtor
from portal import account, attempt_tokens, forms, otp, tokens
from portal.authentication import Caller
from portal.forms import CodeForm, DebtForm, DeferralForm, DisputeForm, EmailForm, PhoneForm, PortalForm

TOKEN_COOKIE = "debtor_token"  # noqa: S105
ADDRESS_COOKIE = "portal_address"
ATTEMPT_COOKIE = "portal_attempt"
_PATH = "/portal"
#: Of the sign-in page: which address the form asks for.
_BY_EMAIL = "email"


@never_cache
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show signed-in debtors their account, and others the sign-in form."""
    debtor = _signed_in(request)
    if debtor is None:
        by_email = request.GET.get("by") == _BY_EMAIL
        response = _page(request, "sign_in", EmailForm() if by_email else PhoneForm(), by_email=by_email)
        response.delete_cookie(TOKEN_COOKIE, path=_PATH)
        return response
    return _account(request, debtor)


@never_cache
@require_POST
def request_code(request: HttpRequest) -> HttpResponse:
    """Send a code, and redirect to the page that asks for it."""
    by_email = "email" in request.POST
    form = EmailForm(request.POST) if by_email else PhoneForm(request.POST)
    draft = forms.carried_draft(request.POST)
    if other := request.POST.get("by"):  # A link would lose the draft.
        by_email = other == _BY_EMAIL
        return _page(request, "sign_in", EmailForm() if by_email else PhoneForm(), by_email=by_email, draft=draft)
    if form.is_valid():
        try:
            given = form.address()
            session = otp.request(given, client_ip=callers.client_ip(request), now=timezone.now())
        except DomainError as error:
            return _refused(request, "sign_in", form, error, by_email=by_email, draft=draft)
        response = _page(request, "code", CodeForm(), address=given, draft=draft) if draft else redirect("portal-code")
        # Signed, and not in the URL, so that no log contains the address.
        response.set_signed_cookie(ADDRESS_COOKIE, given, max_age=settings.OTP_LIFETIME_SECONDS, **COOKIE_OPTIONS)
        token = attempt_tokens.issue(session.pk)
        response.set_cookie(ATTEMPT_COOKIE, token, max_age=settings.OTP_LIFETIME_SECONDS, **COOKIE_OPTIONS)
        return response
    return _page(request, "sign_in", form, status=422, by_email=by_email, draft=draft)


@never_cache
def enter_code(request: HttpRequest) -> HttpResponse:
    """Ask for the code, and sign the debtor in."""
    address = _address_of(request)
    draft = forms.carried_draft(request.POST)
    if address is None:
        return _page(request, "sign_in", PhoneForm(), expired=True, draft=draft) if draft else redirect("portal")
    if request.method != "POST":
        return _page(request, "code", CodeForm(), address=address)
    form = CodeForm(request.POST)
    if form.is_valid():
        try:
            signed_in = otp.verify(
                address,
                form.cleaned_data["otp_code"],
                attempt_token=request.COOKIES.get(ATTEMPT_COOKIE),
                client_ip=callers.client_ip(request),
                now=timezone.now(),
            )
        except DomainError as error:
            return _refused(request, "code", form, error, address=address, draft=draft)
        response = _with_draft(request, signed_in.debtor, draft) if draft else redirect("portal")
        response.set_cookie(TOKEN_COOKIE, signed_in.token, max_age=settings.DEBTOR_TOKEN_SECONDS, **COOKIE_OPTIONS)
        response.delete_cookie(ADDRESS_COOKIE, path=_PATH)
        response.delete_cookie(ATTEMPT_COOKIE, path=_PATH)
        return response
    return _page(request, "code", form, status=422, address=address, draft=draft)


@never_cache
@require_POST
def request_deferral(request: HttpRequest) -> HttpResponse:
    """Request more time for a debt."""

    def act(debtor: Debtor, fields: dict[str, Any]) -> None:
        days = fields["requested_deferral_days"]
        deferrals.request(fields["debt"], debtor=debtor, days=days, reason=fields["reason"], now=timezone.now())

    done = "We have received your request for more time. We will let you know our decision."
    return _submit(request, DeferralForm, act, done=done)


@never_cache
@require_POST
def dispute(request: HttpRequest) -> HttpResponse:
    """Dispute all or part of a debt."""

    def act(debtor: Debtor, fields: dict[str, Any]) -> None:
        disputes.receive(**fields, debtor=debtor, channel=Dispute.Channel.PORTAL, by=None, now=timezone.now())

    done = "We have received your dispute. You do not have to pay the disputed amount until it is resolved."
    return _submit(request, DisputeForm, act, done=done)


@never_cache
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the token and sign the debtor out."""
    if _signed_in(request):
        tokens.revoke(request.COOKIES[TOKEN_COOKIE])
    response = redirect("portal")
    response.delete_cookie(TOKEN_COOKIE, path=_PATH)
    return response


COOKIE_OPTIONS: dict[str, Any] = {"path": _PATH, "httponly": True, "samesite": "Lax", "secure": settings.HTTPS}


def _signed_in(request: HttpRequest) -> Debtor | None:
    token = request.COOKIES.get(TOKEN_COOKIE, "")
    try:
        debtor = tokens.owner(token)
    except BadToken:
        return None
    request.user = Caller(debtor, token)  # type: ignore[assignment]  # As in the API, for the logs and the change log.
    return debtor


def _address_of(request: HttpRequest) -> str | None:
    """Return the phone or e-mail address for which this browser has requested a code."""
    try:
        return request.get_signed_cookie(ADDRESS_COOKIE, max_age=settings.OTP_LIFETIME_SECONDS)
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


def _submit(
    request: HttpRequest, kind: type[DebtForm], act: Callable[[Debtor, dict[str, Any]], None], *, done: str
) -> HttpResponse:
    """Call a domain function with the fields of a debt's form, and show the account again."""
    debtor = _signed_in(request)
    if debtor is None:
        draft = forms.draft_of(request.POST, kind)
        return _page(request, "sign_in", PhoneForm(), status=401, expired=True, draft=draft)
    form = kind(request.POST, debtor=debtor)
    if not form.is_valid():
        return _account(request, debtor, form, status=422)
    try:
        act(debtor, form.cleaned_data)
    except DomainError as error:
        form.refuse(error)
        return _account(request, debtor, form, status=error.status)
    messages.success(request, done)
    return redirect("portal")


def _with_draft(request: HttpRequest, debtor: Debtor, draft: dict[str, str]) -> HttpResponse:
    """Show the account with a form as it was typed before the sign-in; without it if it is about another debtor's debt."""
    kept = forms.drafted_form(draft)
    form = kept[0](kept[1], debtor=debtor) if kept else None
    if form is None or "debt" in form.errors:
        return redirect("portal")
    return _account(request, debtor, form)


def _account(
    request: HttpRequest, debtor: Debtor, refused: DebtForm | None = None, *, status: int = 200
) -> HttpResponse:
    """Show the account; a refused form keeps its input."""
    loaded = account.load(debtor, now=timezone.now())

    def form(kind: type[DebtForm], debt: Debt) -> DebtForm:
        if isinstance(refused, kind) and str(refused["debt"].value()) == str(debt.pk):
            return _rebound(refused, debtor, debt)
        return kind(debtor=debtor, debt=debt)

    rows = [
        (
            row,
            form(DeferralForm, row.debt) if row.may_request else None,
            form(DisputeForm, row.debt) if row.may_dispute else None,
        )
        for row in loaded.debts
    ]
    bound = (form for _, *forms in rows for form in forms if form and form.is_bound)
    return _page(request, "account", next(bound, refused), status=status, debtor=debtor, account=loaded, rows=rows)


def _rebound(refused: DebtForm, debtor: Debtor, debt: Debt) -> DebtForm:
    """Return a refused form with the ids of its place on the page."""
    form = type(refused)(refused.data, debtor=debtor, debt=debt)
    if form.is_valid():  # Its own errors appear again; those of the domain function are copied.
        for name, errors in refused.errors.items():
            form.add_error(None if name == NON_FIELD_ERRORS else name, errors)
    return form
