"""schemathesis with all its checks and phases, at least a hundred examples for each operation, as each kind of caller."""

import sys

import pytest

from tests.fuzz.site import ROLES, fuzzed


@pytest.mark.deep
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("role", ROLES)
def test_no_request_finds_an_answer_that_is_not_described(role: str, capsys: pytest.CaptureFixture[str]):
    with fuzzed() as site:
        made = site.fuzz(role, "--max-examples", "100")
    with capsys.disabled():
        sys.stdout.write(f"\n{made:,} requests as {role}\n")
    assert made >= 70 * 100
