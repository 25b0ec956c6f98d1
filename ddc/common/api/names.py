"""snake_case inside, camelCase outside."""

from functools import cache


@cache
def camel(name: str) -> str:
    """Turn ``first_name`` into ``firstName``."""
    head, *tail = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in tail)
