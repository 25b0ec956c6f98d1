from django.apps import AppConfig


class ArrangementsConfig(AppConfig):
    name = "arrangements"
    verbose_name = "Arrangements"

    def ready(self) -> None:
        from arrangements import receivers  # noqa: F401
