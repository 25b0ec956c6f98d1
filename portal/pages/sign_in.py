"""Sign in: an address, the code sent to it, and the second question; or a signed link and the question."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import rotate_token
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from ddc.common import callers, page_language
from ddc.common.errors import DomainError
from debtors import contact_points
from debtors.channels import Channel
from debtors.models import SuppressionReason
from portal import addresses, attempt_tokens, links, otp, questions, tokens
from portal.models import OtpSession
from portal.pages import pages
from portal.pages.forms import BirthDateForm, CodeForm, EmailForm, PhoneForm, PortalForm, PostcodeForm
from portal.questions import Question

ADDRESS_COOKIE = "portal_address"
ATTEMPT_COOKIE = "portal_attempt"
QUESTION_COOKIE = "portal_question"
#: Seconds after which a code may be asked for again in place.
RESEND_AFTER = 30
_QUESTION_SECONDS = 600


@pages.public
@require_safe
def sign_in(request: HttpRequest) -> HttpResponse:
    """Ask for a phone or an e-mail address."""
    return _ask_for_address(request)


@pages.public
def request_code(request: HttpRequest) -> HttpResponse:
    """Send a code, and lead to the page that asks for it."""
    if request.method != "POST":
        return redirect("portal-sign-in")
    by_email = "email" in request.POST
    form = EmailForm(request.POST) if by_email else PhoneForm(request.POST, region=page_language.region(request))
    if not form.is_valid():
        return _ask_for_address(request, form, status=422)
    try:
        address = form.address()
        session = otp.request(address, client_ip=callers.client_ip(request), now=timezone.now())
    except DomainError as error:
        return pages.refuse(request, "sign_in", form, error, **_about_sign_in(request, by_email=by_email))
    return _remember(redirect("portal-code"), address, session)


@pages.public
@require_POST
def resend_code(request: HttpRequest) -> HttpResponse:
    """Send another code to the same address. htmx shows the answer in place."""
    kept = _address_of(request)
    if kept is None:
        return _lead(request, "portal-sign-in")
    address, sent_at = kept
    context: dict[str, Any] = {"sent_again": True}
    response = None
    if timezone.now().timestamp() - sent_at >= RESEND_AFTER:
        try:
            session = otp.request(address, client_ip=callers.client_ip(request), now=timezone.now())
        except DomainError as error:
            context = {"refused": pages.message_of(error)}
        else:
            response = _show_code(request, CodeForm(), address, **context)
            return _remember(response, address, session)
    else:
        context = {"too_soon": True}
    return response or _show_code(request, CodeForm(), address, **context)


@pages.public
@require_http_methods(["GET", "HEAD", "POST"])
def enter_code(request: HttpRequest) -> HttpResponse:
    """Ask for the code, and lead to the question, or into the account where there is none on file."""
    kept = _address_of(request)
    if kept is None:
        return redirect("portal-sign-in")
    address, _sent_at = kept
    if request.method != "POST":
        return _show_code(request, CodeForm(), address)
    form = CodeForm(request.POST)
    if not form.is_valid():
        return _show_code(request, form, address, status=422)
    try:
        session = otp.verify(
            address,
            form.cleaned_data["otp_code"],
            attempt_token=request.COOKIES.get(ATTEMPT_COOKIE),
            client_ip=callers.client_ip(request),
            now=timezone.now(),
        )
    except DomainError as error:
        return pages.refuse(request, "code", form, error, **_about_code(address))
    assert session.debtor is not None
    if questions.question_for(session.debtor):
        response: HttpResponse = redirect("portal-question")
        _keep(response, QUESTION_COOKIE, questions.token_for(session), _QUESTION_SECONDS)
    else:
        response = _begin_visit(request, session)
    pages.forget(response, ADDRESS_COOKIE, ATTEMPT_COOKIE)
    return response


@pages.public
@require_http_methods(["GET", "HEAD", "POST"])
def answer_question(request: HttpRequest) -> HttpResponse:
    """Ask for the birth date or the postcode before anything personal is shown."""
    token = request.COOKIES.get(QUESTION_COOKIE, "")
    try:
        proof = questions.pending(token, now=timezone.now())
    except questions.QuestionEnded:
        return _question_ended(request) if request.method == "POST" else redirect("portal-sign-in")
    assert proof.debtor is not None
    question = questions.question_for(proof.debtor)
    kind: type[PortalForm] = BirthDateForm if question == Question.DOB else PostcodeForm
    context = {"asks_birth_date": question == Question.DOB, "language_switch": True}
    if request.method != "POST":
        return pages.show(request, "question", form=kind(), **context)

    def act(fields: dict[str, Any]) -> HttpResponse:
        try:
            return _begin_visit(request, questions.answer(token, fields["answer"], now=timezone.now()))
        except questions.QuestionEnded:
            return _question_ended(request)

    return pages.submit(request, "question", kind(request.POST), act, **context)


@pages.public
@require_POST
def not_me(request: HttpRequest) -> HttpResponse:
    """Note that the person who got the code is not the one whom we look for, and stop writing to this address."""
    try:
        proof = questions.pending(request.COOKIES.get(QUESTION_COOKIE, ""), now=timezone.now())
    except questions.QuestionEnded:
        return redirect("portal-sign-in")
    if isinstance(proof, OtpSession):
        address = addresses.parse(proof.address)
        is_phone = address.channel == Channel.SMS
        contact_points.suppress(
            address.value,
            channel=address.channel,
            reason=SuppressionReason.WRONG_NUMBER if is_phone else SuppressionReason.OPTED_OUT,
            source="Portal: the person who got the code is another one",
            now=timezone.now(),
        )
    response = pages.show(request, "wrong_person", language_switch=True)
    pages.forget(response, QUESTION_COOKIE, pages.NEXT_COOKIE, pages.DRAFT_COOKIE)
    return response


@pages.public
@require_safe
def open_link(request: HttpRequest, token: str) -> HttpResponse:
    """Lead from a message to the page of its link. Opening it changes nothing, as mail scanners open links, too."""
    link = links.find(token, now=timezone.now())
    if link is None:
        messages.info(request, _("This link works no more. Please sign in; you then find everything in your account."))
        return redirect("portal-sign-in")
    path = links.page_of(link)
    if pages.debtor_of(request) == link.debtor:
        return redirect(path)
    response: HttpResponse
    if questions.question_for(link.debtor):
        response = redirect("portal-question")
        _keep(response, QUESTION_COOKIE, questions.token_for(link), _QUESTION_SECONDS)
    else:
        response = redirect("portal-sign-in")
    pages.set_next(response, path)
    return response


@pages.public
@require_http_methods(["GET", "HEAD", "POST"])
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the visit, or with ``everywhere`` all of the debtor's sign-ins; say so on a page of its own."""
    if request.method != "POST":
        return pages.show(request, "signed_out", language_switch=True)
    debtor = pages.debtor_of(request)
    if debtor:
        if "everywhere" in request.POST:
            tokens.revoke_all(debtor)
        else:
            tokens.revoke(request.COOKIES[pages.TOKEN_COOKIE], tokens.PageToken)
    response = redirect("portal-sign-out")
    own = (pages.TOKEN_COOKIE, pages.WHO_COOKIE, pages.DRAFT_COOKIE, pages.NEXT_COOKIE)
    pages.forget(response, *own, QUESTION_COOKIE, ADDRESS_COOKIE)
    return response


def _ask_for_address(request: HttpRequest, form: PortalForm | None = None, *, status: int = 200) -> HttpResponse:
    by_email = isinstance(form, EmailForm) or (form is None and request.GET.get("by") == "email")
    form = form or (EmailForm() if by_email else PhoneForm())
    response = pages.show(request, "sign_in", status=status, form=form, **_about_sign_in(request, by_email=by_email))
    if pages.TOKEN_COOKIE in request.COOKIES:
        pages.forget(response, pages.TOKEN_COOKIE)
    return response


def _about_sign_in(request: HttpRequest, *, by_email: bool) -> dict[str, Any]:
    return {"by_email": by_email, "expired": pages.next_of(request)["expired"], "language_switch": True}


def _show_code(
    request: HttpRequest, form: CodeForm, address: str, *, status: int = 200, **context: Any
) -> HttpResponse:
    name = "parts/resend" if request.headers.get("HX-Request") else "code"
    return pages.show(request, name, status=status, form=form, **_about_code(address), **context)


def _about_code(address: str) -> dict[str, Any]:
    by_email = "@" in address
    ending = f"…{address[address.index('@') - 1 :]}" if by_email else address[-3:]
    other = EmailForm(prefix=None) if by_email else PhoneForm()
    return {
        "by_email": by_email,
        "ending": ending,
        "change": other,
        "resend_after": RESEND_AFTER,
        "language_switch": True,
    }


def _question_ended(request: HttpRequest) -> HttpResponse:
    response = pages.show(request, "question_ended", status=401, language_switch=True)
    pages.forget(response, QUESTION_COOKIE)
    return response


def _begin_visit(request: HttpRequest, proof: questions.Proof) -> HttpResponse:
    """Sign the debtor in, and lead to the page that they wanted."""
    now = timezone.now()
    debtor = otp.sign_in(proof, now=now).debtor
    rotate_token(request)
    response = redirect(pages.next_of(request)["path"])
    pages.keep_visit(response, debtor, tokens.issue_for_pages(debtor, now=now))
    pages.forget(response, QUESTION_COOKIE, pages.NEXT_COOKIE)
    return response


def _remember(response: HttpResponse, address: str, session: OtpSession) -> HttpResponse:
    """Keep the address and the attempt, signed, and not in the URL, so that no log contains the address."""
    value = signing.dumps([address, int(timezone.now().timestamp())], salt=ADDRESS_COOKIE)
    _keep(response, ADDRESS_COOKIE, value, settings.OTP_LIFETIME_SECONDS)
    _keep(response, ATTEMPT_COOKIE, attempt_tokens.issue(session.pk), settings.OTP_LIFETIME_SECONDS)
    return response


def _keep(response: HttpResponse, name: str, value: str, seconds: int) -> None:
    response.set_cookie(name, value, max_age=seconds, **pages.COOKIE_OPTIONS)


def _address_of(request: HttpRequest) -> tuple[str, int] | None:
    """Return the phone or e-mail address for which this browser has requested a code, and when."""
    try:
        value = request.COOKIES.get(ADDRESS_COOKIE, "")
        address, sent_at = signing.loads(value, salt=ADDRESS_COOKIE, max_age=settings.OTP_LIFETIME_SECONDS)
    except signing.BadSignature:
        return None
    return address, sent_at


def _lead(request: HttpRequest, name: str) -> HttpResponse:
    """Redirect, also the whole page of a request by htmx."""
    response: HttpResponse = redirect(name)
    if request.headers.get("HX-Request"):
        response = HttpResponse(headers={"HX-Redirect": response["Location"]})
    return response
