from django.apps import AppConfig


class CollectionConfig(AppConfig):
    name = "collection"
    label = "collections"
    verbose_name = "Collections"
