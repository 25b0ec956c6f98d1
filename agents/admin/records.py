"""Back-office pages of roles, tokens, sessions and password links."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.models import Group
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.timezone import now

from agents import api_tokens, sessions
from agents.models import ApiToken, PasswordLink, SignInAttempt, SpentRefreshToken, StaffSession, TokenFamily
from ddc.common.admin.pages import ReadOnlyAdmin, column

admin.site.unregister(Group)


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


@admin.register(StaffSession)
class StaffSessionAdmin(ReadOnlyAdmin):
    list_display = ("agent", "browser", "client_ip", "created_at", "last_seen_at", "second_factor")
    list_filter = ("created_at",)
    list_select_related = ("agent",)
    fields = ("agent", "browser", "user_agent", "client_ip", "created_at", "last_seen_at", "second_factor")

    @admin.display(description="Browser")
    def browser(self, session: StaffSession) -> str:
        return sessions.browser(session.user_agent)


@admin.register(PasswordLink)
class PasswordLinkAdmin(ReadOnlyAdmin):
    list_display = ("email", "agent", "client_ip", "created_at", "handled_at", "attempts")
    list_filter = ("created_at",)
    list_select_related = ("agent",)


@admin.register(SignInAttempt)
class SignInAttemptAdmin(ReadOnlyAdmin):
    """Attempts of the last day, and the addresses from which staff signed in during the last month."""

    list_display = ("created_at", "kind", "client_ip", "succeeded")
    list_filter = ("kind", "succeeded", "created_at")
