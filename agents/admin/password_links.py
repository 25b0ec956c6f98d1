"""Set a password by a link that was sent by mail: ask for the link, and use it."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.views import PasswordResetConfirmView
from django.http import HttpResponse
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.timezone import now
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.generic import FormView

from agents import passwords
from agents.admin import pages
from agents.admin.forms import EmailForm, NewPasswordForm
from agents.models import Agent
from ddc.common.callers import client_ip
from ddc.common.errors import TooMany

#: The same for every address, so that nobody learns which one has an account.
_SENT = (
    "If an account has this address, a link to set a new password is on its way. "
    "It works once, for a day. If no mail arrives, look into your spam folder or ask a Supervisor."
)


@method_decorator([csrf_protect, never_cache], name="dispatch")
class PasswordLinkView(FormView):  # type: ignore[type-arg]
    """Ask for a link."""

    form_class = EmailForm
    template_name = "agents/password_link.html"
    success_url = reverse_lazy("admin:login")

    def form_valid(self, form: EmailForm) -> HttpResponse:
        try:
            passwords.request_link(form.cleaned_data["email"], client_ip=client_ip(self.request), now=now())
        except TooMany as refusal:
            form.add_error("email", f"Too many requests. Try again in {pages.minutes(refusal.retry_after)}.")
            return self.render_to_response(
                self.get_context_data(form=form), status=429, headers={"Retry-After": str(refusal.retry_after)}
            )
        messages.info(self.request, _SENT)
        return super().form_valid(form)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            **admin.site.each_context(self.request), title="Forgotten your password?", **kwargs
        )


@method_decorator(csrf_protect, name="dispatch")
class NewPasswordView(PasswordResetConfirmView):
    """Set a password by a link. All sessions and tokens end with the earlier password; a second factor stays."""

    form_class = NewPasswordForm
    template_name = "agents/new_password.html"
    success_url = reverse_lazy("admin:login")

    def get_user(self, uidb64: str) -> Agent | None:
        agent = super().get_user(uidb64)
        return agent if isinstance(agent, Agent) and agent.is_active and agent.is_staff else None

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        pages.record_of(form.user, "Set a password by a link.")
        messages.success(self.request, "Your password was set. Sign in with it.")
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**admin.site.each_context(self.request), **kwargs)
        title = "Set your password" if self.validlink else "This link does not work any more"
        return {**context, "title": title}
