"""Sign-in to the back office: the password, then the second factor or its set-up."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth import login
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.utils.timezone import now
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import FormView

from agents import second_factor, sessions
from agents.admin import pages, pending
from agents.admin.forms import CodeForm, NewAppForm
from ddc.common.errors import DomainError, TooMany

_protected = method_decorator([sensitive_post_parameters(), csrf_protect, never_cache], name="dispatch")


class SignInView(LoginView):
    """The user name and the password."""

    template_name = "admin/login.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if request.method == "GET" and admin.site.has_permission(request):
            return redirect("admin:index")
        return super().dispatch(request, *args, **kwargs)

    def get_form_class(self) -> Any:
        return admin.site.login_form

    def form_valid(self, form: Any) -> HttpResponse:
        agent, next_page = form.get_user(), self.get_success_url()
        if second_factor.is_set_up(agent):
            pending.begin(self.request, agent, next_page=next_page, now=now())
            return redirect("sign_in_code")
        if second_factor.is_required(agent):
            pending.begin(self.request, agent, next_page=next_page, now=now())
            return redirect("sign_in_set_up")
        login(self.request, agent)
        return HttpResponseRedirect(next_page)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        site = admin.site.each_context(self.request)
        more = {"title": "Sign in", "subtitle": None, "app_path": self.request.get_full_path()}
        return super().get_context_data(**site, **more, **kwargs)


class PendingView(FormView):  # type: ignore[type-arg]
    """A page between the password and the sign-in."""

    #: Whether the page is for agents who have no second factor yet.
    is_for_set_up = False
    waiting: pending.Pending

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        found = pending.get(request, now=now())
        if found is None:
            return redirect("admin:login")
        self.waiting = found
        if second_factor.is_set_up(found.agent) == self.is_for_set_up:
            return redirect("sign_in_code" if self.is_for_set_up else "sign_in_set_up")
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**admin.site.each_context(self.request), agent=self.waiting.agent, **kwargs)

    def refused(self, form: Any, field: str, refusal: DomainError) -> HttpResponse:
        """Show the form again, or begin again after too many wrong codes."""
        if isinstance(refusal, TooMany):
            form.add_error(field, f"Too many wrong codes. Try again in {pages.minutes(refusal.retry_after)}.")
            return self.render_to_response(
                self.get_context_data(form=form), status=429, headers={"Retry-After": str(refusal.retry_after)}
            )
        if pending.count_wrong_code(self.request):
            messages.error(self.request, "Too many wrong codes. Enter your password again.")
            return redirect("admin:login")
        form.add_error(field, refusal.message)
        return self.form_invalid(form)


@_protected
class CodeView(PendingView):
    """The code of the second factor."""

    form_class = CodeForm
    template_name = "agents/code.html"
    extra_context = {"title": "Second factor"}

    def form_valid(self, form: CodeForm) -> HttpResponse:
        agent, code = self.waiting.agent, form.cleaned_data["code"]
        try:
            second_factor.verify(agent, code, now=now())
        except DomainError as refusal:
            return self.refused(form, "code", refusal)
        pending.finish(self.request, agent)
        if second_factor.is_recovery_code(code):
            pages.warn_of_recovery_codes(self.request, agent)
        return HttpResponseRedirect(self.waiting.next_page)


@_protected
class SetUpView(PendingView):
    """The set-up of a second factor that is required. The sign-in is finished with it."""

    is_for_set_up = True
    form_class = NewAppForm
    template_name = "agents/set_up.html"
    extra_context = {"title": "Set up your second factor"}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        app = pages.new_app(self.request, self.waiting.agent)
        layout = "unfold/layouts/unauthenticated.html"
        return super().get_context_data(**app, layout=layout, is_required=True, **kwargs)

    def form_valid(self, form: NewAppForm) -> HttpResponse:
        agent = self.waiting.agent
        key = pages.new_key(self.request)
        try:
            codes = second_factor.set_up(agent, key=key, code=form.cleaned_data["new_code"])
        except DomainError as refusal:
            form.add_error("new_code", refusal.message)
            return self.form_invalid(form)
        sessions.end_all(agent, now=now())
        pending.finish(self.request, agent)
        return pages.show_recovery_codes(self.request, codes, next_page=self.waiting.next_page)
