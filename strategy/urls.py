"""Routes of this app."""

from django.urls import path
from django.urls.resolvers import URLPattern

from ddc.common.api.routes import resource
from strategy.api import PlanView, StrategyRuleView, StrategyRunView, WithdrawalView

urlpatterns: list[URLPattern] = [
    *resource("strategy-rules", StrategyRuleView, name="strategy-rule"),
    *resource("strategy/runs", StrategyRunView, name="strategy-run", only="list create retrieve"),
    path("debts/<id:pk>/strategy", PlanView.as_view({"get": "retrieve"}), name="debt-strategy"),
    path("strategy/runs/<id:pk>/outcomes", StrategyRunView.as_view({"get": "outcomes"}), name="strategy-run-outcomes"),
    path("communication-logs/withdraw", WithdrawalView.as_view({"post": "create"}), name="communication-log-withdraw"),
]
