"""No text that strangers or colleagues can choose costs more than linear time."""

import re

import pytest

from tests import patterns
from tests.patterns import Pattern


def test_no_pattern_of_the_product_has_nested_or_adjacent_repeats_without_a_bound():
    collected = patterns.collect()

    assert len(collected) > 30
    assert {each.where: found for each in collected if (found := patterns.faults(each))} == {}


@pytest.mark.parametrize(
    "text",
    [
        r"(a+)+b", r"(?:a|ab)*c", r"(?:a?b?)*c", r"\s*\s*x", r"(.+) \((.+)\)", r"\d+\.?\d+x", r"(?:[ab]*c?[bc]*)d",
        r"[\w.]+@", r"</?(?:p|br)\b[^>]*>", r"\s*x", r"\beyJ[\w-]+\.[\w-]+", r"(?<=://)[^\s/@]*:[^\s/@]+(?=@)",
        r"\n\s*\s\n", r"(?:x+){2,5}y", r"(?=[\w-]*[a-z])[\w-]{32}",
    ],
)  # fmt: skip
def test_a_pattern_that_could_backtrack_without_end_is_found(text: str):
    assert patterns.faults(Pattern("here", text, 0, is_anchored=False))


@pytest.mark.parametrize(
    "text",
    [
        r"\s+", r"[\w.]{1,64}@", r"(?<!\d)\d+:\d+", r"</?(?:p|br)\b[^<>]*>", r"\{\{\s*([A-Za-z0-9_]+)\s*\}\}",
        r"(?<![\w-])(?=[\w-]*[a-z])[\w-]{32,}", r"^\s*x", r"(?:[^&]|&amp;)+", r"\A[a-z]+\Z",
    ],
)  # fmt: skip
def test_a_pattern_of_linear_time_is_not(text: str):
    assert patterns.faults(Pattern("here", text, 0, is_anchored=False)) == []


def test_the_collection_sees_each_kind_of_use():
    found = {each.text: each.is_anchored for each in patterns.collect()}

    assert found[r"\A[a-z_]{1,50}\Z"] is False
    assert any(text.startswith("[0-9a-fA-F]{8}") and anchored for text, anchored in found.items())
    assert any("%40" in text for text in found)
    assert all(re.compile(text) for text in found)
