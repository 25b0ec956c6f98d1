from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AgentsConfig(AppConfig):
    name = "agents"
    label = "agents"
    verbose_name = "Staff"

    def ready(self) -> None:
        from agents import roles

        # django.contrib.auth comes earlier in INSTALLED_APPS, so its receiver has made the permissions by then.
        post_migrate.connect(roles.grant_after_migrate, dispatch_uid="agents.roles.grant_after_migrate")
