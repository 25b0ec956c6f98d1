from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ContactConfig(AppConfig):
    name = "contact"
    label = "contact"
    verbose_name = "Contact"

    def ready(self) -> None:
        from contact import policy_packs

        post_migrate.connect(policy_packs.load_after_migrate, sender=self, dispatch_uid="contact.load_policies")
