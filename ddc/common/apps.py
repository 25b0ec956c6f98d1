from django.apps import AppConfig


class CommonConfig(AppConfig):
    name = "ddc.common"
    label = "common"

    def ready(self) -> None:
        # Django registers lookups and checks when their modules are imported.
        from ddc.common import lookups  # noqa: F401
        from ddc.common.postgresql import trigger_check  # noqa: F401
