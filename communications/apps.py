from django.apps import AppConfig


class CommunicationsConfig(AppConfig):
    name = "communications"
    label = "communications"
    verbose_name = "Communications"

    def ready(self) -> None:
        from communications import figures, receivers  # noqa: F401
