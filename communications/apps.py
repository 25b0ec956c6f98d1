from django.apps import AppConfig
from django.db.models.signals import post_migrate


class CommunicationsConfig(AppConfig):
    name = "communications"
    label = "communications"
    verbose_name = "Communications"

    def ready(self) -> None:
        from communications import metrics, receivers  # noqa: F401
        from communications.channels import checks  # noqa: F401
        from communications.contact import policy_book
        from communications.providers import registry

        registry.check_settings()
        post_migrate.connect(
            policy_book.load_after_migrate, sender=self, dispatch_uid="communications.load_contact_policies"
        )
