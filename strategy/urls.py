"""Routes of this app."""

from django.urls.resolvers import URLPattern

from ddc.common.api.routes import resource
from strategy.api import StrategyRuleView, StrategyRunView

urlpatterns: list[URLPattern] = [
    *resource("strategy-rules", StrategyRuleView, name="strategy-rule"),
    *resource("strategy/runs", StrategyRunView, name="strategy-run", only="list create retrieve"),
]
