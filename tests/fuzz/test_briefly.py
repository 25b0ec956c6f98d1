"""A short look at every operation with made-up requests; the long one is tests/deep/test_fuzzing.py."""

import sys

import pytest

from tests.fuzz.site import ROLES, fuzzed


@pytest.mark.django_db(transaction=True)
def test_made_up_requests_are_answered_as_described():
    with fuzzed() as site:
        made = {role: site.fuzz(role, "--phases", "fuzzing", "--max-examples", "1", "-w", "2") for role in ROLES}
    sys.stdout.write(f"requests: {made}\n")
    assert all(count >= 70 for count in made.values())
