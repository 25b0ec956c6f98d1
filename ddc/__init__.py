"""The project. Importing it makes its Celery app the current one, in the web process too, which only publishes."""

from ddc.celery import app as celery_app

__all__ = ["celery_app"]
