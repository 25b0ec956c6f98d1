"""The rate limit of a provider, shared by all workers.

Valkey keeps one time per provider, from which on the next message may be sent (the generic cell rate algorithm). Without Valkey
each process limits itself: correct with one worker, too fast with several.
"""

import time
from functools import lru_cache
from typing import Self

import redis
import structlog
from django.conf import settings

from debtors.channels import Channel

log = structlog.get_logger(__name__)

#: A worker that would wait longer than this leaves its messages to a later run.
MAX_WAIT_SECONDS = 2.5
#: A worker reserves the messages of so many seconds at once, which saves calls of Valkey.
_BLOCK_SECONDS = 0.05
_TIMEOUT_SECONDS = 0.25
#: For how long Valkey is not asked again after it failed.
_PAUSE_SECONDS = 5

# Times are in microseconds. Returns the time to wait; -1 if that exceeds the limit, and reserves nothing then.
_RESERVE = """
local now = redis.call('TIME')
now = now[1] * 1000000 + now[2]
local free = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local wait = free - now
if wait > tonumber(ARGV[2]) then return -1 end
local after = free + tonumber(ARGV[1])
redis.call('SET', KEYS[1], string.format('%.0f', after), 'PX', math.ceil((after - now) / 1000) + 1000)
return wait
"""


class RateLimiter:
    """One worker's share of a provider's rate limit; ``per_second`` is the limit for all workers, 0 for none."""

    def __init__(self, provider: str, per_second: float) -> None:
        self.provider, self.per_second = provider, per_second
        self.block = max(1, int(per_second * _BLOCK_SECONDS))
        self._reserved = 0
        self._free_at = 0.0
        self._failed_at = float("-inf")

    @classmethod
    def of(cls, channel: Channel, provider: str) -> Self:
        """Return a limiter with the rate that the settings give for a channel."""
        rates = {Channel.EMAIL: settings.EMAIL_RATE, Channel.CALL_SCRIPT: 0}
        return cls(provider, rates.get(channel, settings.SMS_RATE))

    def wait(self) -> float | None:
        """Reserve one message; return the seconds to wait before it is sent, None if that would take too long."""
        if not self.per_second:
            return 0
        if self._reserved:
            self._reserved -= 1
            return 0
        has_paused = time.monotonic() - self._failed_at > _PAUSE_SECONDS
        wait = self._reserve() if has_paused else self._reserve_locally()
        if wait is not None:
            self._reserved = self.block - 1
        return wait

    def _reserve(self) -> float | None:
        interval = self.block * 1_000_000 / self.per_second
        try:
            answer = _valkey(settings.REDIS_URL).eval(
                _RESERVE, 1, f"ddc:rate:{self.provider}", str(interval), str(MAX_WAIT_SECONDS * 1_000_000)
            )
        except (redis.RedisError, OSError) as error:
            log.warning("rate_limited_locally", provider=self.provider, error=type(error).__name__)
            self._failed_at = time.monotonic()
            return self._reserve_locally()
        microseconds = float(answer)
        return None if microseconds < 0 else microseconds / 1_000_000

    def _reserve_locally(self) -> float | None:
        now = time.monotonic()
        free_at = max(self._free_at, now)
        if free_at - now > MAX_WAIT_SECONDS:
            return None
        self._free_at = free_at + self.block / self.per_second
        return free_at - now


@lru_cache(maxsize=1)
def _valkey(url: str) -> redis.Redis:
    """Return this process's connections to Valkey."""
    client: redis.Redis = redis.Redis.from_url(
        url, socket_timeout=_TIMEOUT_SECONDS, socket_connect_timeout=_TIMEOUT_SECONDS
    )
    return client
