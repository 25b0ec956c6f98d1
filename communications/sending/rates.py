"""How many messages a second a provider is given, by all workers together.

The pace is kept in Valkey: one moment per provider, from which on the next message may go (the generic cell rate algorithm).
Without Valkey each process keeps the pace by itself: as fast as before with one worker, too fast by as many as there are more.
"""

import threading
import time

import redis
import structlog
from django.conf import settings

from debtors.channels import Channel

log = structlog.get_logger(__name__)

#: Whoever would have to wait longer than this leaves it for another time.
LONGEST_WAIT_SECONDS = 2.5
#: A worker takes what may go within so many seconds at once, to spare Valkey's time and its own.
_BLOCK_SECONDS = 0.05
_PATIENCE_SECONDS = 0.25
#: For how long Valkey isn't asked again after it failed.
_REST_SECONDS = 5

# Times in microseconds. Returns how long to wait, or -1 where that would be longer than allowed, and takes nothing then.
_TAKE = """
local now = redis.call('TIME')
now = now[1] * 1000000 + now[2]
local free = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local wait = free - now
if wait > tonumber(ARGV[2]) then return -1 end
local after = free + tonumber(ARGV[1])
redis.call('SET', KEYS[1], string.format('%.0f', after), 'PX', math.ceil((after - now) / 1000) + 1000)
return wait
"""


class Pace:
    """The rate of one worker's messages to one provider; ``per_second`` is for all workers together, 0 for no limit."""

    def __init__(self, provider: str, per_second: float) -> None:
        self.provider, self.per_second = provider, per_second
        self.block = max(1, int(per_second * _BLOCK_SECONDS))
        self._in_hand = 0
        self._free = 0.0
        self._asked_in_vain = float("-inf")

    def wait(self) -> float | None:
        """Take the right to one more message; return the seconds to wait before it goes, None if that is too long."""
        if not self.per_second:
            return 0
        if self._in_hand:
            self._in_hand -= 1
            return 0
        wait = self._of_all() if time.monotonic() - self._asked_in_vain > _REST_SECONDS else self._alone()
        if wait is not None:
            self._in_hand = self.block - 1
        return wait

    def _of_all(self) -> float | None:
        interval = self.block * 1_000_000 / self.per_second
        try:
            answer = _valkey().eval(
                _TAKE, 1, f"ddc:pace:{self.provider}", str(interval), str(LONGEST_WAIT_SECONDS * 1_000_000)
            )
        except (redis.RedisError, OSError) as error:
            log.warning("pace_kept_alone", provider=self.provider, error=type(error).__name__)
            self._asked_in_vain = time.monotonic()
            return self._alone()
        microseconds = float(answer)
        return None if microseconds < 0 else microseconds / 1_000_000

    def _alone(self) -> float | None:
        now = time.monotonic()
        free = max(self._free, now)
        if free - now > LONGEST_WAIT_SECONDS:
            return None
        self._free = free + self.block / self.per_second
        return free - now


def of(channel: Channel) -> float:
    """Return how many messages a second the channel's provider is given."""
    return {Channel.EMAIL: settings.EMAIL_RATE, Channel.CALL_SCRIPT: 0}.get(channel, settings.SMS_RATE)


_clients = threading.local()


def _valkey() -> redis.Redis:
    """One connection per thread, made anew where the address has changed."""
    if getattr(_clients, "url", None) != settings.REDIS_URL:
        patience = {"socket_timeout": _PATIENCE_SECONDS, "socket_connect_timeout": _PATIENCE_SECONDS}
        _clients.client = redis.Redis.from_url(settings.REDIS_URL, **patience)
        _clients.url = settings.REDIS_URL
    client: redis.Redis = _clients.client
    return client
