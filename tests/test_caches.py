"""Nothing that strangers or colleagues send makes a process keep ever more, or large texts."""

import ast
import gc
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import _lru_cache_wrapper

import pytest

from collection.placements import checks
from ddc.common import normal_forms
from ddc.common.bounded_cache import bounded_cache
from ddc.common.errors import DomainError
from ddc.common.reference import languages
from ddc.fixed_settings import BASE_DIR
from debtors import number_plan, phones
from tests.patterns import product_files

#: Functions cached for all of their arguments: these come from the code itself, not from requests, files or rows.
BY_CODE = {
    "ddc/common/api/rendering.py:camel", "ddc/common/api/serializers.py:writer", "ddc/common/api/serializers.py:reader",
    "ddc/common/api/misspelled.py:_decisive", "ddc/common/dataclass_json.py:_defaults",
    "ddc/common/dataclass_json.py:_hints", "communications/callbacks/readers/mail.py:_view_class",
    "communications/callbacks/stop_words.py:_phrases",
}  # fmt: skip
#: Functions cached for a bounded number of arguments, whose texts are as short as the columns and patterns that they come from.
SHORT = {
    "communications/callbacks/readers/sns.py:key", "communications/channels/email.py:_domain",
    "communications/providers/twilio.py:_client", "communications/sending/evidence.py:_derived",
    "communications/sending/rates.py:_valkey", "communications/texts/formats.py:_pattern",
    "contact/engine/decision.py:_clocks", "contact/engine/decision.py:_days", "contact/engine/gate.py:_closed_windows",
    "debtors/places/holidays.py:_holidays", "contact/engine/windows.py:clock_change", "contact/facts.py:_of_address",
    "contact/facts.py:_of_phone", "contact/engine/sections.py:law_of", "contact/limitation.py:applicable",
    "contact/policies.py:_read", "ddc/common/zones.py:zone_info", "ddc/common/process/live.py:_valkey",
    "ddc/fast/lists.py:select_sql",
    "debtors/calendars.py:_end_of", "debtors/places/places.py:_find", "debtors/places/regions.py:_of_holidays",
}  # fmt: skip


def cached() -> Iterator[tuple[str, str, bool]]:
    """Yield every cached function: its file and name, its decorator, and whether it takes arguments."""
    for path in product_files():
        tree = ast.parse(path.read_text("utf-8"))
        for node in (each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef)):
            for decorator in node.decorator_list:
                call = decorator.func if isinstance(decorator, ast.Call) else decorator
                if isinstance(call, ast.Name) and call.id in ("cache", "lru_cache"):
                    written = ast.unparse(decorator)
                    yield f"{path.relative_to(BASE_DIR)}:{node.name}", written, bool(node.args.args)


def test_each_cache_is_bounded_or_keyed_by_what_the_code_itself_says():
    found = list(cached())
    unbounded = {name for name, written, takes in found if takes and not written.startswith("lru_cache(maxsize=")}
    bounded = {name for name, written, _ in found if written.startswith("lru_cache(maxsize=")}

    assert len(found) > 20
    assert unbounded == BY_CODE
    assert bounded == SHORT, "for a text that callers choose, use bounded_cache"


def test_a_bounded_cache_keeps_neither_many_nor_long_texts():
    @bounded_cache(2, longest=3)
    def double(text: str) -> str:
        return text * 2

    assert [double(text) for text in ("a", "b", "c", "abcd", "a")] == ["aa", "bb", "cc", "abcdabcd", "aa"]
    assert double.cached.cache_info().currsize == 2


@pytest.mark.parametrize(
    "function",
    [
        normal_forms.name,
        languages.name,
        languages.locale,
        languages.read,
        checks.language,
        phones.is_known,
        phones.dialled,
        number_plan.number,
    ],
)
def test_no_cache_keeps_long_texts(function):
    before = large()
    for number in range(20):
        with suppress(ValueError, DomainError):  # A refusal, which is not cached.
            function(f"{number}" + "x" * 400_000)

    assert large() == before


def test_no_cache_keeps_every_spelling_of_a_language():
    name = "Norwegian Nynorsk"
    for number in range(3_000):
        spelling = "".join(c.upper() if number >> i & 1 else c.lower() for i, c in enumerate(name))
        assert checks.language(spelling) == "nn"

    assert checks.language.cached.cache_info().currsize <= 1_000


def large() -> int:
    """Return the number of large texts that caches keep."""
    gc.collect()
    caches = [each for each in gc.get_objects() if type(each) is _lru_cache_wrapper]
    return sum(
        isinstance(key, str) and sys.getsizeof(key) > 100_000
        for each in caches
        for found in gc.get_referents(each)
        for key in (found if isinstance(found, dict) else ())
    )
