from django.apps import AppConfig


class StrategyConfig(AppConfig):
    name = "strategy"
    label = "strategy"
    verbose_name = "Strategy"

    def ready(self) -> None:
        from strategy import metrics  # noqa: F401
