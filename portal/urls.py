"""Routes of this app."""

from django.urls import path
from django.urls.resolvers import URLPattern

from ddc.common.api.routes import resource
from portal import account_api, api, arrangements_api, details_api, requests_api
from portal.pages import budget, details, disputes, home, language, letters, more_time, paying, plans, sign_in, support
from portal.payment_links_api import PaymentLinkView

_PAGES: list[URLPattern] = [
    path("portal", home.home, name="portal"),
    path("portal/sign-in", sign_in.sign_in, name="portal-sign-in"),
    path("portal/request-code", sign_in.request_code, name="portal-request-code"),
    path("portal/code", sign_in.enter_code, name="portal-code"),
    path("portal/code/again", sign_in.resend_code, name="portal-resend"),
    path("portal/question", sign_in.answer_question, name="portal-question"),
    path("portal/not-me", sign_in.not_me, name="portal-not-me"),
    path("portal/l/<str:token>", sign_in.open_link, name="portal-link"),
    path("portal/sign-out", sign_in.sign_out, name="portal-sign-out"),
    path("portal/language", language.choose, name="portal-language"),
    path("portal/more-time", more_time.choose_debt, name="portal-more-time-all"),
    path("portal/debts/<uuid:pk>", home.ledger, name="portal-ledger"),
    path("portal/debts/<uuid:pk>/more-time", more_time.ask, name="portal-more-time"),
    path("portal/more-time/<uuid:pk>", more_time.request_state, name="portal-request"),
    path("portal/debts/<uuid:pk>/plan", plans.choose, name="portal-plan"),
    path("portal/debts/<uuid:pk>/plan/agree", plans.agree, name="portal-plan-agree"),
    path("portal/plans/<uuid:pk>", plans.plan, name="portal-arrangement"),
    path("portal/dispute", disputes.choose_debt, name="portal-dispute-all"),
    path("portal/debts/<uuid:pk>/dispute", disputes.dispute, name="portal-dispute"),
    path("portal/disputes/<uuid:pk>", disputes.dispute_state, name="portal-dispute-state"),
    path("portal/documents/<uuid:pk>", disputes.document, name="portal-document"),
    path("portal/help", support.cannot_pay, name="portal-help"),
    path("portal/complain", support.complain, name="portal-complain"),
    path("portal/details", details.show, name="portal-details"),
    path("portal/details/stop", details.stop, name="portal-stop"),
    path("portal/details/new/<slug:kind>", details.new_address, name="portal-new-address"),
    path("portal/details/code/<uuid:pk>", details.confirm_address, name="portal-new-address-code"),
    path("portal/messages", letters.letters, name="portal-messages"),
    path("portal/messages/<uuid:pk>", letters.letter, name="portal-message"),
    path("portal/statement", letters.print_statement, name="portal-statement"),
    path("portal/budget", budget.enter, name="portal-budget"),
    path("portal/budget/<uuid:pk>", budget.result, name="portal-budget-plan"),
    path("portal/pay", paying.pay, name="portal-pay"),
    path("portal/pay/transfer", paying.transfer, name="portal-transfer"),
    path("portal/pay/<uuid:pk>", paying.pay_request, name="portal-pay-request"),
    path("portal/payments/<uuid:pk>", paying.payment, name="portal-payment"),
    path("portal/payments/<uuid:pk>/receipt", paying.receipt, name="portal-receipt"),
]

urlpatterns: list[URLPattern] = [
    *_PAGES,
    path("debtors/auth/request-otp", api.OtpRequestView.as_view({"post": "create"}), name="request-otp"),
    path("debtors/auth/verify-otp", api.OtpVerificationView.as_view({"post": "create"}), name="verify-otp"),
    path("debtors/auth/answer", api.AnswerView.as_view({"post": "create"}), name="answer-question"),
    path("debtors/auth/logout", api.DebtorSignOutView.as_view({"post": "create"}), name="debtor-logout"),
    path("debtors/me/profile", api.ProfileView.as_view({"get": "retrieve"}), name="my-profile"),
    path("debtors/me/debts", api.MyDebtsView.as_view({"get": "retrieve"}), name="my-debts"),
    path(
        "debtors/me/deferral-requests",
        api.MyDeferralRequestsView.as_view({"get": "retrieve", "post": "create"}),
        name="my-deferral-requests",
    ),
    path(
        "debtors/me/deferral-requests/<id:pk>/withdraw",
        api.MyDeferralRequestsView.as_view({"post": "withdraw"}),
        name="withdraw-my-deferral-request",
    ),
    path("debtors/me/disputes", api.MyDisputesView.as_view({"get": "retrieve", "post": "create"}), name="my-disputes"),
    path("debtors/me/arrangement-options", arrangements_api.MyOptionsView.as_view({"get": "retrieve"})),
    path("debtors/me/arrangements", arrangements_api.MyArrangementsView.as_view({"get": "retrieve", "post": "create"})),
    path("debtors/me/arrangements/<id:pk>/changes", arrangements_api.MyArrangementsView.as_view({"post": "change"})),
    path("debtors/me/documents", requests_api.MyDocumentsView.as_view({"get": "list", "post": "create"})),
    path("debtors/me/documents/<id:pk>", requests_api.MyDocumentsView.as_view({"get": "retrieve"})),
    path("debtors/me/documents/<id:pk>/content", requests_api.MyDocumentsView.as_view({"get": "content"})),
    path("debtors/me/hardship", requests_api.MyHardshipView.as_view({"get": "list", "post": "create"})),
    path("debtors/me/complaints", requests_api.MyComplaintsView.as_view({"get": "list", "post": "create"})),
    path(
        "debtors/me/details", details_api.MyDetailsView.as_view({"get": "retrieve", "put": "update", "patch": "update"})
    ),
    path("debtors/me/details/address-changes", details_api.MyAddressChangesView.as_view({"post": "create"})),
    path(
        "debtors/me/details/address-changes/<id:pk>/confirm",
        details_api.MyAddressChangesView.as_view({"post": "confirm"}),
    ),
    path("debtors/me/messages", account_api.MyMessagesView.as_view({"get": "list"})),
    path("debtors/me/messages/<id:pk>", account_api.MyMessagesView.as_view({"get": "retrieve"})),
    path("debtors/me/payments", account_api.MyPaymentsView.as_view({"get": "list"})),
    path("debtors/me/payoff", account_api.MyPayoffView.as_view({"get": "retrieve"})),
    path("debtors/me/budget", account_api.MyBudgetView.as_view({"post": "create"})),
    path("debtors/me/activities", api.MyActivitiesView.as_view({"post": "create"}), name="my-activities"),
    path("payment-links", PaymentLinkView.as_view({"post": "create"}), name="payment-link"),
    *resource("digital-activities", api.DigitalActivityView, name="digital-activity", only="list"),
]
