"""The own account: password, second factor and sessions."""

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.views import PasswordChangeView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse, reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.timezone import now
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from agents import second_factor, sessions
from agents.admin import pages
from agents.admin.forms import ConfirmForm, OwnPasswordForm, ReplaceAppForm
from agents.models import Agent
from agents.receivers import SESSION_KEY
from ddc.common.errors import DomainError, TooMany


def account(request: HttpRequest) -> HttpResponse:
    """The page of the own account."""
    agent: Any = request.user
    present = request.session.get(SESSION_KEY)
    rows = [
        {"session": session, "browser": sessions.browser(session.user_agent), "is_present": str(session.pk) == present}
        for session in sessions.open_sessions(agent, now=now())
    ]
    context = {
        "title": "Your account",
        "status": second_factor.status(agent),
        "is_required": second_factor.is_required(agent),
        "sessions": rows,
        "roles": ", ".join(group.name for group in agent.groups.all()),
    }
    return _page(request, "agents/account.html", context)


@sensitive_post_parameters()
def set_up(request: HttpRequest) -> HttpResponse:
    """Set up a second factor, or replace it by another app."""
    agent: Any = request.user
    status = second_factor.status(agent)
    key = pages.new_key(request)
    form = ReplaceAppForm(request.POST or None, key=key, request=request, with_code=status is not None)
    if request.method == "POST" and form.is_valid():
        try:
            if status:
                second_factor.verify(agent, form.cleaned_data["code"], now=now())
            codes = second_factor.set_up(agent, key=key, code=form.cleaned_data["new_code"], replace=bool(status))
        except second_factor.WrongNewCode as refusal:
            form.add_error("new_code", refusal.message)
        except DomainError as refusal:
            _refuse(form, refusal)
        else:
            _end_other_sessions(request)
            sessions.pass_second_factor(agent, request.session[SESSION_KEY])
            pages.record(request, "Replaced the second factor." if status else "Set up a second factor.")
            return pages.show_recovery_codes(request, codes, next_page=reverse("account"))
    context = {"title": "Replace your second factor" if status else "Set up your second factor", "form": form}
    app = pages.new_app(request, agent)
    return _page(request, "agents/set_up.html", {**context, **app, "layout": "admin/base_site.html"})


@sensitive_post_parameters()
def renew_recovery_codes(request: HttpRequest) -> HttpResponse:
    """Replace the recovery codes."""

    def renew(agent: Agent) -> HttpResponse:
        codes = second_factor.renew_recovery_codes(agent)
        pages.record(request, "Replaced the recovery codes.")
        return pages.show_recovery_codes(request, codes, next_page=reverse("account"))

    return _confirmed(request, renew, title="New recovery codes", button="Make new codes")


@sensitive_post_parameters()
def remove(request: HttpRequest) -> HttpResponse:
    """Remove the second factor."""

    def removed(agent: Agent) -> HttpResponse:
        second_factor.remove(agent)
        pages.record(request, "Removed the second factor.")
        messages.success(request, "Your second factor was removed.")
        return redirect("account")

    return _confirmed(request, removed, title="Remove your second factor", button="Remove")


@require_POST
def end_session(request: HttpRequest, session_id: uuid.UUID) -> HttpResponse:
    """Sign out one browser."""
    agent: Any = request.user
    sessions.end(agent, session_id)
    messages.success(request, "That browser was signed out.")
    return redirect("account")


@require_POST
def sign_out_everywhere(request: HttpRequest) -> HttpResponse:
    """Sign out every browser, this one included, and all sign-ins over the API."""
    agent: Any = request.user
    pages.record(request, "Signed out everywhere.")
    sessions.end_all(agent, now=now())
    request.session.flush()
    messages.success(request, "You are signed out everywhere.")
    return redirect("admin:login")


@method_decorator(sensitive_post_parameters(), name="dispatch")
class PasswordView(PasswordChangeView):
    """A new password. All other sessions and all tokens end with the earlier one."""

    form_class = OwnPasswordForm
    template_name = "registration/password_change_form.html"
    success_url = reverse_lazy("admin:password_change_done")

    def get_form(self, form_class: Any = None) -> Any:
        form = super().get_form(form_class)
        form.request = self.request
        return form

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        _end_other_sessions(self.request)
        pages.record(self.request, "Changed the password.")
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**admin.site.each_context(self.request), **kwargs)


def _end_other_sessions(request: HttpRequest) -> None:
    agent: Any = request.user
    sessions.end_all(agent, but=request.session[SESSION_KEY], now=now())


def _confirmed(request: HttpRequest, act: Callable[[Agent], HttpResponse], *, title: str, button: str) -> HttpResponse:
    """Ask for the password and a code before a change of the second factor."""
    agent: Any = request.user
    if not second_factor.is_set_up(agent):
        return redirect("account")
    form = ConfirmForm(request.POST or None, request=request, with_code=True)
    if request.method == "POST" and form.is_valid():
        try:
            second_factor.verify(agent, form.cleaned_data["code"], now=now())
            return act(agent)
        except DomainError as refusal:
            _refuse(form, refusal)
    return _page(request, "agents/confirm.html", {"title": title, "form": form, "button": button})


def _refuse(form: ConfirmForm, refusal: DomainError) -> None:
    """Show a refusal at the code if it is about that."""
    if isinstance(refusal, TooMany):
        form.add_error("code", f"Too many wrong codes. Try again in {pages.minutes(refusal.retry_after)}.")
    else:
        form.add_error("code" if isinstance(refusal, second_factor.WrongCode) else None, refusal.message)


def _page(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    return TemplateResponse(request, template, {**admin.site.each_context(request), **context})
