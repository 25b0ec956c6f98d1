from django.apps import AppConfig


class DebtorsConfig(AppConfig):
    name = "debtors"
    label = "debtors"
    verbose_name = "Debtors"
