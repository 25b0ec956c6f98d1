"""The base of all serializers: camelCase names in the API, snake_case names inside, and fast answers."""

from collections.abc import Mapping
from functools import cache, cached_property
from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.fields import SkipField

from ddc.common.api.rendering import camel

Field = serializers.Field[Any, Any, Any, Any]


def camel_fields(fields: Mapping[str, Field]) -> dict[str, Field]:
    """Give fields their camelCase names, and read and write the attribute of their own name."""
    named: dict[str, Field] = {}
    for name, field in fields.items():
        outside = camel(name)
        if field.source is None and outside != name:
            field.source = name
        named[outside] = field
    return named


class CamelSerializer(serializers.Serializer[Any]):
    """A serializer that shows its field ``first_name`` as ``firstName`` in bodies, answers, errors and schema."""

    #: For an optional field that cannot be empty, the default that null restores.
    null_means: ClassVar[dict[str, Any]] = {}
    #: Fields that a body may leave out, but that have a value in every answer.
    never_null: ClassVar[tuple[str, ...]] = ()
    #: Optional fields that decide what a request does. A body that misspells one is refused; see ``misspelled``.
    decisive: ClassVar[tuple[str, ...]] = ()
    #: Texts or ids of which a body gives at least one, or exactly one. The serializer checks it, and the schema describes it.
    needs_any: ClassVar[tuple[str, ...]] = ()
    needs_one: ClassVar[tuple[str, ...]] = ()
    #: Whether an answer can lack some of the fields.
    may_lack_fields: bool = False

    def get_fields(self) -> dict[str, Field]:
        return camel_fields(super().get_fields())

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            detail = serializers.ErrorDetail("This must be an object.", "object")
            raise serializers.ValidationError({"non_field_errors": [detail]})
        values: dict[str, Any] = super().to_internal_value(data)
        for name, default in self.null_means.items():
            if values.get(name, default) is None:
                values[name] = default
        return values

    def to_representation(self, instance: Any) -> dict[str, Any]:
        answer: dict[str, Any] = {}
        for name, field in self._writers:
            try:
                value = field.get_attribute(instance)
            except SkipField:
                continue
            answer[name] = None if value is None else field.to_representation(value)
        return answer

    @cached_property
    def _writers(self) -> list[tuple[str, Field]]:
        return [(name, field) for name, field in self.fields.items() if not field.write_only]


@cache
def writer(serializer: type[CamelSerializer]) -> CamelSerializer:
    """Return the instance that writes answers. It is shared, because building its fields takes longer than writing a row."""
    return serializer()


@cache
def reader(serializer: type[CamelSerializer], partial: bool) -> CamelSerializer:
    """Return the instance that reads bodies by ``run_validation``, which keeps no state."""
    return serializer(partial=partial)


def write(serializer: type[CamelSerializer], instance: Any) -> dict[str, Any]:
    """Write one object as an answer."""
    return writer(serializer).to_representation(instance)


def write_all(serializer: type[CamelSerializer], instances: Any) -> list[dict[str, Any]]:
    """Write many objects as answers."""
    represent = writer(serializer).to_representation
    return [represent(instance) for instance in instances]
