from django.apps import AppConfig


class CommonConfig(AppConfig):
    name = "ddc.common"
    label = "common"

    def ready(self) -> None:
        # Django registers checks when their module is imported.
        from ddc.common.postgresql import trigger_check  # noqa: F401
