"""The rate limit of a provider: shared by all workers, and without Valkey kept by each process."""

import time

import pytest

from communications.sending.rates import RateLimiter
from debtors.channels import Channel


def take(limiter, times):
    return [limiter.wait() for _ in range(times)]


@pytest.fixture
def provider(request):
    return f"{request.node.name}-{time.monotonic_ns()}"


def test_all_workers_share_one_limit(provider):
    one, other = RateLimiter(provider, 10), RateLimiter(provider, 10)

    waits = [one.wait(), other.wait(), one.wait(), other.wait()]

    assert waits[0] == 0
    for number, wait in enumerate(waits):
        assert wait == pytest.approx(number / 10, abs=0.09)


def test_a_worker_that_would_wait_too_long_reserves_nothing(provider):
    limiter = RateLimiter(provider, 1)

    assert take(limiter, 3)[:2] == [0, pytest.approx(1, abs=0.1)]
    assert limiter.wait() is None
    assert limiter.wait() is None


def test_a_high_rate_is_reserved_in_blocks(provider):
    limiter = RateLimiter(provider, 1000)

    assert take(limiter, 50) == [0] * 50
    assert 0 < limiter.wait() <= 0.05


def test_without_a_limit_valkey_is_not_asked(settings, provider):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    assert take(RateLimiter(provider, 0), 100) == [0] * 100


def test_without_valkey_the_process_limits_itself(settings, provider):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    limiter = RateLimiter(provider, 10)

    began = time.monotonic()
    waits = take(limiter, 4)

    assert waits == [pytest.approx(n / 10, abs=0.09) for n in range(4)]
    assert time.monotonic() - began < 1


def test_each_channel_has_its_providers_rate(settings):
    settings.EMAIL_RATE, settings.SMS_RATE = 7, 3

    assert [RateLimiter.of(channel, "smtp").per_second for channel in Channel] == [7, 3, 3, 0]
