"""The base of all models, and SQL functions and lookups that Django lacks."""

import secrets
import time
import uuid
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import models
from django.db.models import Func
from django.db.models.fields.related import ForeignObject
from django.db.models.functions import Now
from django.utils import timezone

Row = TypeVar("Row", bound=models.Model, covariant=True)


def uuid7() -> uuid.UUID:
    """Return a UUID version 7 (RFC 9562, section 5.7): milliseconds since 1970, then 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    random = secrets.randbits(74)
    return uuid.UUID(int=milliseconds << 80 | 7 << 76 | (random >> 62) << 64 | 2 << 62 | random & (1 << 62) - 1)


class UUIDv7(Func):
    """PostgreSQL's generator, for rows that SQL writes."""

    function = "uuidv7"
    template = "%(function)s()"
    output_field = models.UUIDField()


class ClockTimestamp(Func):
    """The time of the statement. ``now()`` would be the start of the transaction, before any wait for a lock."""

    function = "clock_timestamp"
    template = "%(function)s()"
    output_field = models.DateTimeField()


@ForeignObject.register_lookup
@models.Field.register_lookup
class AnyOf(models.Lookup):  # type: ignore[type-arg]
    """``= ANY (…)``: the list is one parameter. ``IN`` has one per value, and at most 65,535 of them."""

    lookup_name = "any_of"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        values = list(self.rhs)
        if not values:
            raise EmptyResultSet  # As for an empty IN, Django then needs no query.
        left, params = self.process_lhs(compiler, connection)
        return f"{left} = ANY (%s)", [*params, values]


class UUIDModel(models.Model):
    """A row with an id (UUID version 7), and the times of its creation and last change (UTC)."""

    id = models.UUIDField(primary_key=True, default=uuid7, db_default=UUIDv7(), editable=False)
    created_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)
    updated_at = models.DateTimeField(auto_now=True, db_default=Now())

    class Meta:
        abstract = True

    @classmethod
    def input_fields(cls) -> list["models.Field[Any, Any]"]:
        """Return the fields that people enter, by the API, an import or the back office: those that are editable."""
        return [field for field in cls._meta.concrete_fields if field.editable]


class NormalFormField(models.CharField):  # type: ignore[type-arg]
    """The normal form of another field of the same row, which comparisons and unique constraints use.

    Every way in which Django writes a ``NormalFormModel`` computes it. A statement in SQL has to write it too.
    """

    def __init__(self, *args: Any, of: str = "", form: Callable[[str], str] | None = None, **kwargs: Any) -> None:
        """Take the name of the other field, and the function that computes its form; migrations need neither."""
        self.of, self.form = of, form
        super().__init__(*args, **{"null": True, "blank": True, "editable": False, **kwargs})

    def compute(self, value: str | None) -> str | None:
        """Return the form of a value. A value of which nothing is left stands for itself."""
        return (self.form(value) or value) if value and self.form else None

    def pre_save(self, model_instance: models.Model, add: bool) -> str | None:
        normal = self.compute(getattr(model_instance, self.of))
        setattr(model_instance, self.attname, normal)
        return normal


class NormalFormQuerySet(models.QuerySet[Row]):
    """Rows with normal forms: an update of a field writes its form too."""

    def update(self, **kwargs: Any) -> int:
        model: Any = self.model
        fields = (field for field in model.normal_forms() if field.of in kwargs)
        forms = {field.name: field.compute(kwargs[field.of]) for field in fields}
        return super().update(**kwargs, **forms)


class NormalFormModel(UUIDModel):
    """A row with normal forms of some of its fields."""

    class Meta:
        abstract = True

    def save(self, *, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        if update_fields is not None:
            fields = set(update_fields)
            update_fields = fields | {field.name for field in self.normal_forms() if field.of in fields}
        super().save(update_fields=update_fields, **kwargs)

    @classmethod
    def normal_forms(cls) -> list[NormalFormField]:
        """Return the fields with normal forms."""
        return [field for field in cls._meta.concrete_fields if isinstance(field, NormalFormField)]


def newest_first() -> list[str]:
    """Return the order of every list. The id breaks ties, so that pages neither repeat nor skip a row."""
    return ["-created_at", "-id"]
