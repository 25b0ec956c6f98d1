"""A cache for functions of a text that callers choose: bounded by the number of its entries and by their length."""

from collections.abc import Callable
from functools import lru_cache, update_wrapper
from typing import Generic, TypeVar

Result = TypeVar("Result")


class BoundedCache(Generic[Result]):
    """Remember a function's results for up to ``size`` texts; a text of more than ``longest`` characters is not kept."""

    def __init__(self, compute: Callable[[str], Result], *, size: int, longest: int) -> None:
        self.compute, self.longest = compute, longest
        self.cached = lru_cache(maxsize=size)(compute)
        update_wrapper(self, compute)

    def __call__(self, text: str) -> Result:
        return self.cached(text) if len(text) <= self.longest else self.compute(text)


def bounded_cache(size: int, *, longest: int = 100) -> Callable[[Callable[[str], Result]], BoundedCache[Result]]:
    """Return a decorator that remembers the results of a function of one text."""
    return lambda compute: BoundedCache(compute, size=size, longest=longest)
