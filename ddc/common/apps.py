from django.apps import AppConfig


class CommonConfig(AppConfig):
    name = "ddc.common"
    label = "common"

    def ready(self) -> None:
        from ddc.common import lookups  # noqa: F401 - Django knows them from now on.
