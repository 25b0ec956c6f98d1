"""How endpoints describe themselves in OpenAPI."""

from drf_spectacular.openapi import AutoSchema


class Schema(AutoSchema):
    """drf-spectacular's own, with the error answers that every operation shares."""
