"""Routes of sign-in and of the own account. They come before those of Django's admin, which has pages of the same names."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.urls import path
from django.urls.resolvers import URLPattern

from agents.admin import account
from agents.admin.password_links import NewPasswordView, PasswordLinkView
from agents.admin.sign_in import CodeView, SetUpView, SignInView


def _own(route: str, view: Callable[..., Any], name: str) -> URLPattern:
    """Return the route of a page for signed-in staff."""
    return path(route, admin.site.admin_view(view), name=name)


urlpatterns: list[URLPattern] = [
    path("admin/login/", SignInView.as_view(), name="sign_in"),
    path("admin/login/code/", CodeView.as_view(), name="sign_in_code"),
    path("admin/login/set-up/", SetUpView.as_view(), name="sign_in_set_up"),
    # django-unfold's sign-in page links to this name.
    path("admin/password/", PasswordLinkView.as_view(), name="admin_password_reset"),
    path("admin/password/<uidb64>/<token>/", NewPasswordView.as_view(), name="password_link"),
    _own("admin/account/", account.account, "account"),
    _own("admin/account/second-factor/", account.set_up, "second_factor"),
    _own("admin/account/second-factor/remove/", account.remove, "remove_second_factor"),
    _own("admin/account/recovery-codes/", account.renew_recovery_codes, "recovery_codes"),
    _own("admin/account/sessions/end/", account.sign_out_everywhere, "sign_out_everywhere"),
    _own("admin/account/sessions/<uuid:session_id>/end/", account.end_session, "end_session"),
    _own("admin/password_change/", account.PasswordView.as_view(), "own_password"),
]
