"""Measure that hostile text costs linear time, per pattern and per function that reads a stranger's or a colleague's text."""

import io
import itertools
import json
import re
from collections.abc import Callable, Iterator
from time import thread_time

import pytest

from communications.texts import composition, placeholders
from ddc.common.api.parser import ExactJSONParser
from ddc.common.observing import masking
from tests import patterns
from tests.patterns import Pattern

pytestmark = pytest.mark.deep

_LENGTH = 8_000
#: A shorter time is noise on a busy machine.
_MEASURABLE = 0.004
_RUNS = (
    "z",
    "0",
    " ",
    "\n",
    "<",
    "{",
    "a.",
    "a-",
    "0 ",
    "/a",
    "<a ",
    "{{ ",
    "eyJ-",
    "%40a",
    "://:",
    "a\n \n",
    "(a",
    "&amp;",
    "Z0z",
)


def hostile(pattern: Pattern) -> Iterator[str]:
    """Yield the pieces whose repetition makes a pattern backtrack: runs of usual characters, and of its own."""
    yield from _RUNS
    flags = re.compile(pattern.text, pattern.flags).flags
    for path in patterns.paths(patterns.parsed(pattern), flags)[:50]:
        samples = [min(each.characters, key=lambda c: (not c.isalnum(), c)) for each in path if each.characters]
        yield from {"".join(samples), "".join(samples[:-1]), *samples}


def assert_linear(run: Callable[[str], object], piece: str, ending: str) -> None:
    """Fail if doubling a text takes more than three times as long, by the best of up to eight measurements of each."""
    texts = [piece * (length // len(piece)) + ending for length in (_LENGTH, 2 * _LENGTH, 4 * _LENGTH)]
    best = [float("inf")] * len(texts)
    ratios: list[float] = []
    for _ in range(8):
        best = [min(known, _seconds(run, text)) for known, text in zip(best, texts, strict=True)]
        ratios = [later / before for before, later in itertools.pairwise(best) if later > _MEASURABLE]
        if all(ratio <= 3 for ratio in ratios):
            return
    pytest.fail(f"{piece!r} repeated costs {ratios} times as much for each doubling")


def _seconds(run: Callable[[str], object], text: str) -> float:
    """Return the processor time, which other processes of a busy machine do not change much."""
    begun = thread_time()
    run(text)
    return thread_time() - begun


@pytest.mark.parametrize("pattern", patterns.collect(), ids=lambda pattern: pattern.where)
def test_no_pattern_takes_more_than_linear_time(pattern: Pattern):
    compiled = re.compile(pattern.text, pattern.flags)
    run = compiled.fullmatch if pattern.is_anchored else lambda text: compiled.sub("", text)
    for piece in sorted({piece for piece in hostile(pattern) if piece}):
        assert_linear(run, piece, "\x00!")


def _compose(text: str) -> object:
    return composition.compose(text, text, {}, channel="email")


def _read_json(text: str) -> object:
    try:
        return ExactJSONParser().parse(io.BytesIO(text.encode()))
    except Exception as error:
        return error


def _names(text: str) -> object:
    return _read_json(json.dumps({f"{text[:50]}{index}": text[:9] for index in range(len(text) // 10)}))


def _check(text: str) -> object:
    try:
        placeholders.check(text, field="body")
    except placeholders.BadPlaceholder as error:
        return error
    return placeholders.render(text, {})


@pytest.mark.parametrize("run", [masking.mask, _compose, _read_json, _names, _check])
def test_no_function_takes_more_than_linear_time(run: Callable[[str], object]):
    for piece in (*_RUNS, "[", '{"a":', '"', "1", "{{today}}", "{{", "}}", '<a href="x">x</a>', "https://a ", "é"):
        assert_linear(run, piece, "")


def test_a_quadratic_pattern_is_found():
    with pytest.raises(pytest.fail.Exception):
        assert_linear(lambda text: re.sub(r"[\w.]+@", "", text), "z", "")
