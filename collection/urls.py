"""Routes of debts, segments, deferral requests and the dashboard."""

from django.urls import path

from collection import fast
from collection.accounts.api import AccountView
from collection.api import (
    CostRuleView,
    DashboardView,
    DebtInterestView,
    DebtView,
    DeferralRequestView,
    InterestScheduleView,
    RateSeriesView,
    SegmentView,
)
from ddc.common.api.routes import resource
from ddc.fast.reads import answer_fast

_patterns = [
    *resource("debts", DebtView, name="debt"),
    path("debts/<id:pk>/payments", DebtView.as_view({"get": "payments"}), name="debt-payments"),
    path("debts/<id:pk>/interest", DebtInterestView.as_view({"get": "retrieve", "post": "set"}), name="debt-interest"),
    path("debts/<id:pk>/ledger", DebtView.as_view({"get": "ledger"}), name="debt-ledger"),
    path("debts/<id:pk>/ledger/<id:entry>/reverse", AccountView.as_view({"post": "undo"}), name="debt-entry-reverse"),
    path("debts/<id:pk>/payoff", AccountView.as_view({"get": "payoff"}), name="debt-payoff"),
    path("debts/<id:pk>/charges", AccountView.as_view({"post": "charge"}), name="debt-charges"),
    path("debts/<id:pk>/waivers", AccountView.as_view({"post": "waive"}), name="debt-waivers"),
    path("debts/<id:pk>/write-offs", AccountView.as_view({"post": "write_off"}), name="debt-write-offs"),
    *resource("deferral-requests", DeferralRequestView, name="deferral-request", only="list retrieve"),
    path("deferral-requests/<id:pk>/approve", DeferralRequestView.as_view({"put": "approve"})),
    path("deferral-requests/<id:pk>/reject", DeferralRequestView.as_view({"put": "reject"})),
    path("deferral-requests/<id:pk>/end", DeferralRequestView.as_view({"put": "end"})),
    path("dashboard/stats", DashboardView.as_view({"get": "stats"}), name="dashboard-stats"),
    *resource("segments", SegmentView, name="segment"),
    *resource("rate-series", RateSeriesView, name="rate-series", only="list retrieve create"),
    *resource("interest-schedules", InterestScheduleView, name="interest-schedule", only="list retrieve create"),
    *resource("cost-rules", CostRuleView, name="cost-rule", only="list retrieve create"),
]

urlpatterns = answer_fast(_patterns, {"debt-list": fast.debts, "dashboard-stats": fast.dashboard})
