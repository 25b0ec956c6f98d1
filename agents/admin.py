"""Back-office pages for staff accounts, roles and tokens. Only a superuser creates accounts or changes roles."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.timezone import now
from unfold.forms import AdminPasswordChangeForm
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from agents import api_tokens, staff
from agents.models import Agent, ApiToken, SignInAttempt, SpentRefreshToken, TokenFamily
from agents.roles import ROLES
from ddc.common.admin.editing import DomainAdmin
from ddc.common.admin.forms import DomainForm
from ddc.common.admin.pages import ReadOnlyAdmin, column

admin.site.unregister(Group)


class NewAgentForm(DomainForm):
    """The user name, password and role of a new account."""

    username = forms.CharField(max_length=150, widget=UnfoldAdminTextInputWidget())
    password = forms.CharField(
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}), strip=False, max_length=128
    )
    role = forms.ChoiceField(choices=[(role, role) for role in ROLES], widget=UnfoldAdminSelectWidget())

    class Meta:
        model = Agent
        fields = ("username", "password")


@admin.register(Agent)
class AgentAdmin(DomainAdmin, UserAdmin):  # type: ignore[type-arg]
    # A superuser edits names and roles directly, so this is a plain model form.
    form = forms.ModelForm  # type: ignore[assignment]
    list_display = ("username", "name", "roles", "is_active", "last_login")
    list_filter = ("is_active", "groups")
    search_fields = ("username",)  # type: ignore[misc]
    search_help_text = "User name, first name or last name"
    ordering = ("username",)
    actions = ()
    add_form = NewAgentForm
    change_password_form = AdminPasswordChangeForm
    add_fieldsets = ((None, {"fields": ("username", "password", "role")}),)
    fieldsets = (
        (None, {"fields": ("username", "first_name", "last_name", "email")}),
        ("Access", {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
        ("Times", {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ("last_login", "date_joined")
    filter_horizontal = ()
    autocomplete_fields = ("groups",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Agent]:
        found: QuerySet[Agent] = super().get_queryset(request)
        return found.prefetch_related("groups")

    def search_filter(self, text: str) -> Q:
        return Q(username__icontains=text) | Q(first_name__icontains=text) | Q(last_name__icontains=text)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            kwargs["form"] = self.add_form
            kwargs["fields"] = ("username", "password")
        return super().get_form(request, obj, change=change, **kwargs)

    def create(self, request: HttpRequest, fields: dict[str, Any]) -> Agent:
        agent, _ = staff.create(**fields, now=now())
        return agent

    def save_model(self, request: HttpRequest, obj: Agent, form: Any, change: bool) -> None:
        if change:
            obj.save()
        else:
            super().save_model(request, obj, form, change)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # Records refer to agents, so an agent is deactivated instead.

    @admin.display(description="Roles")
    def roles(self, agent: Agent) -> str:
        return ", ".join(group.name for group in agent.groups.all()) or "-"


@admin.register(Group)
class RoleAdmin(ReadOnlyAdmin):
    """Shows the roles; each migration sets them from ``agents.roles``."""

    search_fields = ("name",)
    fields = ("name", "allowed")
    readonly_fields = ("allowed",)

    def search_filter(self, text: str) -> Q:
        return Q(name__icontains=text)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("agents.view_agent")

    @admin.display(description="Permissions")
    def allowed(self, group: Group) -> str:
        names = group.permissions.order_by("content_type__app_label", "codename")
        return "\n".join(names.values_list("name", flat=True))


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnlyAdmin):
    list_display = ("id", "agent", "created_at", "last_used_at", "expires_at", "state")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter), "created_at", "expires_at")
    list_select_related = ("agent",)
    fields = ("id", "agent", "created_at", "last_used_at", "expires_at", "revoked_at", "state")
    actions = ("revoke",)
    state = column("State", lambda token: token.state(now()))

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("agents.change_apitoken")

    @admin.action(description="Revoke", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        for token in queryset:
            api_tokens.revoke(token, now=now())
        self.message_user(request, "Tokens revoked.", messages.SUCCESS)


@admin.register(TokenFamily)
class TokenFamilyAdmin(ReadOnlyAdmin):
    list_display = ("agent", "created_at", "state")
    fields = ("agent", "created_at", "revoked_at", "state")
    state = column("State", lambda family: family.state(now()))
    list_filter = ("created_at",)
    list_select_related = ("agent",)


@admin.register(SpentRefreshToken)
class SpentRefreshTokenAdmin(ReadOnlyAdmin):
    list_display = ("jti", "spent_at")
    list_filter = ("spent_at",)


@admin.register(SignInAttempt)
class SignInAttemptAdmin(ReadOnlyAdmin):
    """Attempts of the last day, and the addresses from which staff signed in during the last month."""

    list_display = ("created_at", "kind", "client_ip", "succeeded")
    list_filter = ("kind", "succeeded", "created_at")
