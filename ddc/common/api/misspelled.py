"""Find unknown names that misspell a field which decides what a request does.

Unknown fields are ignored. But a payment with "failed" as its ``staus`` would be recorded as completed.
"""

from collections.abc import Iterable, Iterator
from functools import cache

from ddc.common.api.rendering import camel
from ddc.common.api.serializers import CamelSerializer

#: Longer names misspell nothing.
_LONGEST = 60
_SEPARATORS = str.maketrans("", "", "_- .")


def find(serializer: type[CamelSerializer], unknown: Iterable[str], known: set[str]) -> Iterator[tuple[str, str]]:
    """Yield each unknown name of a body that misspells a decisive field, and that field's name in the API.

    A field that is among the known names of the body decides, however often it is also misspelled.
    Case, separators, one letter too much, too little or wrong, and two letters swapped count as misspellings.
    """
    for name in unknown:
        for field in {_decisive(serializer).get(form) for form in _forms(name)} - {None}:
            if field and not {field, camel(field)} & known:
                yield name, camel(field)


@cache
def _decisive(serializer: type[CamelSerializer]) -> dict[str, str]:
    """Return the decisive fields by each of their forms."""
    return {form: field for field in serializer.decisive for form in _forms(field)}


def _forms(name: str) -> set[str]:
    """Return a name without case and separators, and that without each one of its letters.

    Two names share a form if they are alike but for one letter, so finding them takes no comparison of every pair.
    """
    if len(name) > _LONGEST:
        return set()
    plain = name.casefold().translate(_SEPARATORS)
    return {plain, *(plain[:index] + plain[index + 1 :] for index in range(len(plain)))}
