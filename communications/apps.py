from django.apps import AppConfig


class CommunicationsConfig(AppConfig):
    name = "communications"
    label = "communications"
    verbose_name = "Communications"

    def ready(self) -> None:
        from communications import metrics, receivers  # noqa: F401
        from communications.channels import checks  # noqa: F401
        from communications.providers import registry

        registry.configured().check_settings()
