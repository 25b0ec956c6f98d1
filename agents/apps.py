from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AgentsConfig(AppConfig):
    name = "agents"
    label = "agents"
    verbose_name = "Staff"

    def ready(self) -> None:
        from agents import receivers, roles  # noqa: F401 - receivers registers its functions.

        # django.contrib.auth is earlier in INSTALLED_APPS, so its receiver has created the permissions before this one runs.
        post_migrate.connect(roles.grant_after_migrate, dispatch_uid="agents.roles.grant_after_migrate")
