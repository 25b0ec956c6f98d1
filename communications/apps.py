from django.apps import AppConfig


class CommunicationsConfig(AppConfig):
    name = "communications"
    label = "communications"

    def ready(self) -> None:
        from communications import receivers  # noqa: F401
