"""The base of all serializers: camelCase names outside, snake_case inside, and answers without detours."""

from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.fields import SkipField

from ddc.common.api.names import camel

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
    """A serializer whose declared ``first_name`` is ``firstName`` outside: in bodies, answers, errors and schema."""

    #: What null means for an optional field that can't be empty: it brings this default back.
    null_means: ClassVar[dict[str, Any]] = {}
    #: Fields that have a value in every answer though a body may leave them out: a rule brings that.
    never_null: ClassVar[tuple[str, ...]] = ()
    #: Whether an answer may lack some of the fields.
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
        for name, field in self._writers():
            try:
                value = field.get_attribute(instance)
            except SkipField:
                continue
            answer[name] = None if value is None else field.to_representation(value)
        return answer

    def _writers(self) -> list[tuple[str, serializers.Field[Any, Any, Any, Any]]]:
        if not hasattr(self, "_cached_writers"):
            self._cached_writers = [(name, field) for name, field in self.fields.items() if not field.write_only]
        return self._cached_writers


@cache
def writer(serializer: type[CamelSerializer]) -> CamelSerializer:
    """Return the one instance that writes answers of this shape; building fields anew costs more than a row."""
    return serializer()


@cache
def reader(serializer: type[CamelSerializer], partial: bool) -> CamelSerializer:
    """Return the one instance that reads bodies of this shape, by ``run_validation``, which keeps nothing of them."""
    return serializer(partial=partial)


def write(serializer: type[CamelSerializer], instance: Any) -> dict[str, Any]:
    """Write one object as an answer."""
    return writer(serializer).to_representation(instance)


def write_all(serializer: type[CamelSerializer], instances: Any) -> list[dict[str, Any]]:
    """Write many objects as answers."""
    represent = writer(serializer).to_representation
    return [represent(instance) for instance in instances]
