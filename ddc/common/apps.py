from django.apps import AppConfig


class CommonConfig(AppConfig):
    name = "ddc.common"
    label = "common"
