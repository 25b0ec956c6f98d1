"""Of four simultaneous uses of a refresh token one gets a new pair; then the family ends."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier

import pytest
from django.db import connection
from django.utils import timezone

from agents import tokens
from agents.models import SpentRefreshToken, TokenFamily
from tests import factories

THREADS = 4


def rotate_at_once(refresh: str) -> list[tokens.Pair]:
    """Return the pairs that were handed out."""
    start = Barrier(THREADS)

    def rotate(_: int) -> tokens.Pair | None:
        try:
            start.wait(timeout=10)
            return tokens.rotate(refresh, now=timezone.now())
        except tokens.BadToken:
            return None
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        return [pair for pair in pool.map(rotate, range(THREADS)) if pair]


@pytest.mark.django_db(transaction=True)
def test_one_of_four_simultaneous_uses_gets_a_pair_and_the_family_ends() -> None:
    agent = factories.agent()
    for _ in range(5):
        pair = tokens.issue(agent, now=timezone.now())

        handed_out = rotate_at_once(pair.refresh)

        assert len(handed_out) == 1
        for ended in (pair, *handed_out):
            with pytest.raises(tokens.BadToken):
                tokens.owner(ended.access)
            with pytest.raises(tokens.BadToken):
                tokens.rotate(ended.refresh, now=timezone.now())
    assert not TokenFamily.objects.filter(revoked_at__isnull=True).exists()


@pytest.mark.deep
@pytest.mark.django_db(transaction=True)
def test_checking_first_instead_issues_more_than_one_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = Barrier(THREADS)

    def look_and_write(token: tokens.RefreshToken, family: TokenFamily, now: datetime) -> None:
        spent = SpentRefreshToken.objects.filter(jti=token["jti"]).exists()
        looked.wait(timeout=10)
        if spent:
            raise tokens.AlreadyUsed
        SpentRefreshToken.objects.bulk_create(
            [SpentRefreshToken(jti=token["jti"], family=family, spent_at=now)], ignore_conflicts=True
        )

    monkeypatch.setattr(tokens, "mark_used", look_and_write)

    assert len(rotate_at_once(tokens.issue(factories.agent(), now=timezone.now()).refresh)) > 1
