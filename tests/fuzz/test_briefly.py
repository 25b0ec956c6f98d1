"""A short fuzz test of every operation; the long one is tests/deep/test_fuzzing.py."""

import http.client
import sys

import pytest

from tests.fuzz.site import ROLES, fuzzed


@pytest.mark.django_db(transaction=True)
def test_generated_requests_are_answered_as_described():
    with fuzzed() as site:
        made = {role: site.fuzz(role, "--phases", "fuzzing", "--max-examples", "1", "-w", "2") for role in ROLES}
    sys.stdout.write(f"requests: {made}\n")
    assert all(count >= 70 for count in made.values())


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("chunked", [False, True])
def test_a_client_with_a_far_too_large_body_gets_the_answer(chunked: bool):
    """If the server closed the connection during the body, the client would not see the 413."""
    piece = b"x" * 1_048_576
    with fuzzed() as site:
        client = http.client.HTTPConnection(site.url.removeprefix("http://"), timeout=20)
        body = (piece for _ in range(30)) if chunked else piece * 30
        client.request("POST", "/debtors", body, {"Content-Type": "application/json"}, encode_chunked=chunked)
        answer = client.getresponse()
        assert answer.status == 413
        assert b'"status":413' in answer.read()
        client.close()
