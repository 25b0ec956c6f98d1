"""A condition for SQL that Django has none for."""

from typing import Any

from django.db import models
from django.db.models.fields.related import ForeignObject


@ForeignObject.register_lookup
@models.Field.register_lookup
class AnyOf(models.Lookup):  # type: ignore[type-arg]
    """``= ANY (…)``: a list is one parameter, where ``IN`` has one for each of its values and no more than 65,535 of them."""

    lookup_name = "any_of"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        left, params = self.process_lhs(compiler, connection)
        return f"{left} = ANY (%s)", [*params, list(self.rhs)]
