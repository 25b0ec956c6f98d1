"""Back-office pages of staff accounts, and the actions of a Supervisor on them."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.formats import date_format
from django.utils.timezone import now
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
from unfold.decorators import action
from unfold.forms import AdminPasswordChangeForm

from agents import passwords, second_factor, sessions, staff
from agents.admin.forms import (
    DeactivateForm,
    EndAccessForm,
    NewAgentForm,
    PasswordLinkForm,
    ReactivateForm,
    ResetSecondFactorForm,
    RoleForm,
)
from agents.models import Agent
from ddc.common.admin.editing import DomainAdmin
from ddc.common.admin.workflow import offered

# Their pages would show secrets.
admin.site.unregister((TOTPDevice, StaticDevice))

_ACTIVE = Q(is_active=True)


@admin.register(Agent)
class AgentAdmin(DomainAdmin, UserAdmin):  # type: ignore[type-arg, misc]
    list_display = ("username", "name", "roles", "is_active", "has_second_factor", "last_login")
    list_filter = ("is_active", "groups")
    search_fields = ("username",)  # type: ignore[misc]
    search_help_text = "User name, first name, last name or e-mail address"
    ordering = ("username",)
    actions = ()
    filter_horizontal = ()
    add_form = NewAgentForm
    add_form_template = None  # That of Django announces fields of a second page.
    change_password_form = AdminPasswordChangeForm
    actions_detail = (
        "change_role", "send_password_link", "reset_second_factor", "end_access", "deactivate", "reactivate",
    )  # fmt: skip
    add_fieldsets = ((None, {"fields": ("username", "first_name", "last_name", "email", "role")}),)
    fieldsets = (
        (None, {"fields": ("username", "first_name", "last_name", "email")}),
        ("Access", {"fields": ("is_active", "roles", "is_superuser", "second_factor", "open_sessions")}),
        ("Times", {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = (
        "is_active", "roles", "is_superuser", "second_factor", "open_sessions", "last_login", "date_joined",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Agent]:
        found: QuerySet[Agent] = super().get_queryset(request)
        app = TOTPDevice.objects.filter(user=OuterRef("pk"), confirmed=True)
        return found.prefetch_related("groups").annotate(with_second_factor=Exists(app))

    def search_filter(self, text: str) -> Q:
        names = Q(username__icontains=text) | Q(first_name__icontains=text) | Q(last_name__icontains=text)
        return names | Q(email__icontains=text)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fieldsets if obj else self.add_fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*self.readonly_fields, "username") if obj else ()

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            kwargs |= {"form": NewAgentForm, "fields": NewAgentForm.Meta.fields}
        return super().get_form(request, obj, change=change, **kwargs)

    # --- Who may do it

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(staff.MANAGE_STAFF)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(staff.MANAGE_STAFF)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # Records refer to agents, so an agent is deactivated instead.

    has_staff_permission = offered(Q(), staff.MANAGE_STAFF)
    has_active_permission = offered(_ACTIVE, staff.MANAGE_STAFF)
    has_inactive_permission = offered(~_ACTIVE, staff.MANAGE_STAFF)

    def has_colleague_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return self.has_staff_permission(request, object_id) and object_id != str(request.user.pk)

    def has_active_colleague_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return self.has_active_permission(request, object_id) and object_id != str(request.user.pk)

    # --- Changes

    def create(self, request: HttpRequest, fields: dict[str, Any]) -> Agent:
        agent, _ = staff.create(**fields, password=None, by=request.user, now=now())  # type: ignore[arg-type]
        self._show_link_in_demo(request, agent)
        return agent

    def amend(self, request: HttpRequest, obj: Agent, changes: dict[str, Any]) -> Agent:
        return staff.amend(obj, **changes, by=request.user)  # type: ignore[arg-type]

    @action(description="Change role", permissions=["colleague"])  # type: ignore[untyped-decorator]
    def change_role(self, request: HttpRequest, object_id: str) -> HttpResponse:
        title, history = "Change role", "Change role: {role}"
        return self._change(
            request, object_id, RoleForm, staff.change_role, title=title, done="Role changed.", history=history
        )

    @action(description="Send password link", permissions=["active"])  # type: ignore[untyped-decorator]
    def send_password_link(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def send(agent: Agent, *, by: Agent) -> None:
            staff.send_password_link(agent, by=by, now=now())
            self._show_link_in_demo(request, agent)

        title, done = "Send password link", "A link to set a password is on its way."
        return self._change(request, object_id, PasswordLinkForm, send, title=title, done=done)

    @action(description="Reset factor", permissions=["colleague"])  # type: ignore[untyped-decorator]
    def reset_second_factor(self, request: HttpRequest, object_id: str) -> HttpResponse:
        title, done = "Reset second factor", "The second factor was reset."
        return self._change(
            request, object_id, ResetSecondFactorForm, staff.reset_second_factor, title=title, done=done
        )

    @action(description="End access", permissions=["staff"])  # type: ignore[untyped-decorator]
    def end_access(self, request: HttpRequest, object_id: str) -> HttpResponse:
        title, done = "End access", "All sessions and tokens were ended."
        return self._change(request, object_id, EndAccessForm, staff.end_access, title=title, done=done)

    @action(description="Deactivate", permissions=["active_colleague"])  # type: ignore[untyped-decorator]
    def deactivate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        title, done = "Deactivate", "The account was deactivated."
        return self._change(request, object_id, DeactivateForm, staff.deactivate, title=title, done=done)

    @action(description="Reactivate", permissions=["inactive"])  # type: ignore[untyped-decorator]
    def reactivate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        title, done = "Reactivate", "The account was reactivated."
        return self._change(request, object_id, ReactivateForm, staff.reactivate, title=title, done=done)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> Any:
        """Let only a superuser set a colleague's password. A Supervisor sends a link, and never knows the password."""
        if not request.user.is_superuser:
            raise PermissionDenied
        return super().user_change_password(request, id, form_url)

    def _change(
        self,
        request: HttpRequest,
        object_id: str,
        form: type[forms.Form],
        change: Callable[..., object],
        *,
        title: str,
        done: str,
        history: str = "",
    ) -> HttpResponse:
        return self.do_to_one(
            request,
            object_id,
            form(request.POST if request.method == "POST" else None),
            lambda agent, fields: change(agent, **fields, by=request.user),
            title=title,
            button=title,
            done=done,
            history=history,
        )

    def _show_link_in_demo(self, request: HttpRequest, agent: Agent) -> None:
        """Show the link to the Supervisor, because the demo sends no mail."""
        if settings.DEMO:
            self.message_user(request, f"The demo sends no mail. The link in it would be: {passwords.url(agent)}")

    # --- What a page shows

    @admin.display(description="Roles")
    def roles(self, agent: Agent) -> str:
        return ", ".join(group.name for group in agent.groups.all()) or "-"

    @admin.display(description="Second factor", boolean=True)
    def has_second_factor(self, agent: Any) -> bool:
        return bool(agent.with_second_factor)

    @admin.display(description="Second factor")
    def second_factor(self, agent: Agent) -> str:
        status = second_factor.status(agent)
        if status is None:
            return "Required, but not set up yet" if second_factor.is_required(agent) else "Not set up"
        since = date_format(status.since) if status.since else "an unknown day"
        return f"Set up on {since}, {status.recovery_codes} recovery codes left"

    @admin.display(description="Open sessions")
    def open_sessions(self, agent: Agent) -> str:
        found = sessions.open_sessions(agent, now=now())
        return "; ".join(f"{sessions.browser(session.user_agent)}, {session.client_ip}" for session in found) or "-"
