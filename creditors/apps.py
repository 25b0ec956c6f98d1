from django.apps import AppConfig


class CreditorsConfig(AppConfig):
    name = "creditors"
    label = "creditors"
    verbose_name = "Creditors"
