"""snake_case inside, camelCase outside."""

import re
from functools import cache


@cache
def camel(name: str) -> str:
    """Turn ``first_name`` into ``firstName``."""
    head, *tail = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in tail)


@cache
def snake(name: str) -> str:
    """Turn ``firstName`` into ``first_name``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
