"""Search texts in SQL by patterns, without regard to case and accents."""

from typing import Any

from django.db import models
from django.db.models import F, Func, Value


def escaped(words: str) -> str:
    """Return the LIKE pattern of exactly these words."""
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def pattern_of(words: str) -> str:
    """Return the LIKE pattern of texts that contain these words literally."""
    return f"%{escaped(words)}%"


def search_text(expression: F | Value) -> Func:
    """Return the form of a text that is searched: without case and accents."""
    return Func(expression, function="search_text", output_field=models.TextField())


@models.TextField.register_lookup
class Like(models.Lookup):  # type: ignore[type-arg]
    """SQL's LIKE, with a pattern on its right side."""

    lookup_name = "like"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        left, left_params = self.process_lhs(compiler, connection)
        right, right_params = self.process_rhs(compiler, connection)
        return f"{left} LIKE {right}", [*left_params, *right_params]
