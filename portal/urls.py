"""Routes of this app."""

from django.urls import path
from django.urls.resolvers import URLPattern

from ddc.common.api.routes import resource
from portal import api, arrangements_api, views

urlpatterns: list[URLPattern] = [
    path("portal", views.home, name="portal"),
    path("portal/request-code", views.request_code, name="portal-request-code"),
    path("portal/code", views.enter_code, name="portal-code"),
    path("portal/deferral-requests", views.request_deferral, name="portal-deferral"),
    path("portal/disputes", views.dispute, name="portal-dispute"),
    path("portal/sign-out", views.sign_out, name="portal-sign-out"),
    path("debtors/auth/request-otp", api.OtpRequestView.as_view({"post": "create"}), name="request-otp"),
    path("debtors/auth/verify-otp", api.OtpVerificationView.as_view({"post": "create"}), name="verify-otp"),
    path("debtors/auth/logout", api.DebtorSignOutView.as_view({"post": "create"}), name="debtor-logout"),
    path("debtors/me/profile", api.ProfileView.as_view({"get": "retrieve"}), name="my-profile"),
    path("debtors/me/debts", api.MyDebtsView.as_view({"get": "retrieve"}), name="my-debts"),
    path(
        "debtors/me/deferral-requests",
        api.MyDeferralRequestsView.as_view({"get": "retrieve", "post": "create"}),
        name="my-deferral-requests",
    ),
    path("debtors/me/disputes", api.MyDisputesView.as_view({"get": "retrieve", "post": "create"}), name="my-disputes"),
    path("debtors/me/arrangement-options", arrangements_api.MyOptionsView.as_view({"get": "retrieve"})),
    path("debtors/me/arrangements", arrangements_api.MyArrangementsView.as_view({"get": "retrieve", "post": "create"})),
    path("debtors/me/arrangements/<id:pk>/changes", arrangements_api.MyArrangementsView.as_view({"post": "change"})),
    path("debtors/me/activities", api.MyActivitiesView.as_view({"post": "create"}), name="my-activities"),
    *resource("digital-activities", api.DigitalActivityView, name="digital-activity", only="list"),
]
