"""Send due messages: claim them in batches, and hand them over one by one.

A message that may have been sent when its worker died is never sent again automatically. It turns ``uncertain``, until an event
or an agent resolves it. A worker hands over one message at a time, so a worker that dies leaves at most one uncertain.
"""

import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from django.conf import settings

from communications.channels.message import Outcome
from communications.models import MessageStatus
from communications.outbox import may_go, outbox, refusals
from communications.outbox.may_go import Unsendable
from communications.outbox.outbox import Queue
from communications.sending import batches, circuits, dispatch, leases, outcomes
from communications.sending.batches import Batch, ClaimedMessage
from communications.sending.dispatch import PreparedMessage
from communications.sending.rates import RateLimiter
from communications.sending.senders import Senders, provider_of
from communications.sending.writing import Unwritable
from contact import validation_notice
from ddc.common.observing import tracing
from ddc.common.postgresql import advisory_locks
from ddc.common.postgresql.advisory_locks import AdvisoryLock
from ddc.common.process import shutdown
from debtors.channels import Channel

log = structlog.get_logger(__name__)

Clock = Callable[[], datetime]

#: How many messages are claimed at once: few at first, then as many as can be sent while their facts are current.
FIRST_BATCH, MAX_BATCH = 50, 200
CLAIM_LEASE = timedelta(seconds=60)
#: The contact gate decides by facts that are no older than this.
MAX_FACTS_AGE = timedelta(seconds=2)
#: A run ends after this, so that runs do not pile up.
TIME_BUDGET = timedelta(seconds=20)
#: The result of a message that was queued again, or that another worker has claimed.
RELEASED = "released"


@dataclass
class RunResult:
    """How many messages got which status, and whether the run ended before the outbox was empty."""

    statuses: Counter[str] = field(default_factory=Counter)
    is_cut_short: bool = False


@dataclass
class _Run:
    """The state of one worker run."""

    clock: Clock
    queue: Queue
    ends_at: datetime | None
    senders: Senders
    #: Whether the run sends without a worker slot, and wakes no other worker.
    is_exclusive: bool
    result: RunResult = field(default_factory=RunResult)
    has_woken_another: bool = False
    #: The channels for which the run had a slot.
    served: set[Channel] = field(default_factory=set)
    limiters: dict[str, RateLimiter] = field(default_factory=dict)
    #: Channels that have reached their rate limit; a later run serves them.
    at_limit: set[Channel] = field(default_factory=set)
    #: Providers that failed, by their own fault, at their last hand-over in this run.
    failing: set[str] = field(default_factory=set)
    batch_sizes: dict[Channel, int] = field(default_factory=lambda: defaultdict(lambda: min(FIRST_BATCH, MAX_BATCH)))

    def limiter(self, channel: Channel) -> RateLimiter:
        provider = provider_of(channel)
        if provider not in self.limiters:
            self.limiters[provider] = RateLimiter.of(channel, provider)
        return self.limiters[provider]


def drain(*, clock: Clock, queue: Queue = Queue.ALL, time_budget: timedelta | None = None) -> RunResult:
    """Send due messages until there are none or the time is over. Any number of workers may do so at once."""
    with closing(Senders()) as senders:
        return _drain(_Run(clock, queue, clock() + time_budget if time_budget else None, senders, is_exclusive=True))


def run(*, clock: Clock, queue: Queue = Queue.ALL) -> RunResult:
    """Send due messages for one time budget, in the channels that have a free worker slot; wake a worker if more are due.

    Each provider has slots of its own: one that hangs delays no other provider's messages.
    """
    with closing(Senders()) as senders:
        this_run = _Run(clock, queue, clock() + TIME_BUDGET, senders, is_exclusive=False)
        result = _drain(this_run)
    # A worker that was woken after the last claim of this run found its slot taken, and has ended.
    now = clock()
    if outbox.is_due(now=now, queue=queue, channels=this_run.served - _paused_channels(now)):
        outbox.wake(queue)
    return result


def _drain(this_run: _Run) -> RunResult:
    while not this_run.result.is_cut_short and _send_batches(this_run):
        pass
    return this_run.result


@contextmanager
def _slot(this_run: _Run, channel: Channel) -> Iterator[int | None]:
    """Hold one of the OUTBOX_DRAINS worker slots of the channel's provider in a queue; None if all are taken."""
    if this_run.is_exclusive:
        yield settings.OUTBOX_DRAINS - 1
        return
    subject = f"{this_run.queue.value} {provider_of(channel)}"
    with ExitStack() as stack:
        for slot in range(settings.OUTBOX_DRAINS):
            if stack.enter_context(advisory_locks.session_lock(AdvisoryLock.WORKER_SLOT, f"{subject} {slot}")):
                yield slot
                return
        yield None


def _paused_channels(now: datetime) -> set[Channel]:
    """Return the channels of providers that are down."""
    known = circuits.known()
    return {channel for channel in Channel if circuits.is_open(provider_of(channel), known, now=now)}


def _send_batches(this_run: _Run) -> bool:
    """Send at most one batch of each channel; False if nothing was due."""
    known, found = circuits.known(), False
    for channel in Channel:
        if channel in this_run.at_limit or this_run.result.is_cut_short:
            continue
        with _slot(this_run, channel) as slot:
            if slot is None:
                continue
            this_run.served.add(channel)
            batch = _claim(this_run, channel, known)
            found = found or bool(batch.size)
            is_full = batch.size == this_run.batch_sizes[channel]
            if is_full and slot < settings.OUTBOX_DRAINS - 1 and not this_run.has_woken_another:
                outbox.wake(this_run.queue)
                this_run.has_woken_another = True
            _send(this_run, channel, batch, known)
    return found


def _claim(this_run: _Run, channel: Channel, known: circuits.Known) -> Batch:
    """Claim a batch: nothing while the provider is down, and one message to try whether it works again."""
    provider, now = provider_of(channel), this_run.clock()
    if circuits.is_open(provider, known, now=now):
        return Batch(now)
    is_trial = circuits.is_due_for_trial(provider, known, now=now)
    limit = 1 if is_trial else this_run.batch_sizes[channel]
    batch = batches.claim(channel=channel, now=now, limit=limit, lease=CLAIM_LEASE, queue=this_run.queue)
    this_run.result.statuses += batch.results
    if batch.messages and is_trial and not circuits.take_trial(known[provider], now=now):
        leases.release((claimed.message for claimed in batch.messages), now=now)
        return Batch(now)
    return batch


def _send(this_run: _Run, channel: Channel, batch: Batch, known: circuits.Known) -> None:
    """Send a batch as far as the time budget, the rate limit and the provider allow; release the rest."""
    limiter, is_down, handed_over = this_run.limiter(channel), False, 0
    window: deque[PreparedMessage] = deque()
    while (window or batch.messages) and not is_down:
        wait = limiter.wait()
        if wait is None:
            this_run.at_limit.add(channel)
            break
        if wait:
            time.sleep(wait)
        now = this_run.clock()
        if (this_run.ends_at and now >= this_run.ends_at) or shutdown.is_requested():
            this_run.result.is_cut_short = True
            break
        if handed_over and now - batch.claimed_at > MAX_FACTS_AGE:
            # The rest is claimed again with current facts, and no more at once than could be sent in time.
            this_run.batch_sizes[channel] = handed_over
            break
        window = window or _mark_sending(this_run, batch)
        if window:
            prepared = window.popleft()
            with tracing.caused_by(prepared.message.request_id):
                is_down = _dispatch(this_run, prepared, known)
            handed_over += 1
    else:
        this_run.batch_sizes[channel] = min(this_run.batch_sizes[channel] * 2, MAX_BATCH)
    if batch.size:
        log.info("batch", channel=channel, size=batch.size, handed_over=handed_over)
    now = this_run.clock()
    if window:
        leases.requeue([prepared.message.pk for prepared in window], now=now)
    leases.release((claimed.message for claimed in batch.messages), now=now)


def _mark_sending(this_run: _Run, batch: Batch) -> deque[PreparedMessage]:
    """Write the next messages of a batch, and commit them as ``sending``."""
    now = this_run.clock()
    prepared: list[PreparedMessage] = []
    while batch.messages and len(prepared) < dispatch.WINDOW:
        claimed = batch.messages.popleft()
        try:
            prepared.append(dispatch.prepare(claimed, now=now))
        except Unwritable as error:
            _fail(this_run, claimed, str(error), now=now)
        except Exception as error:
            log.exception("message_not_written", message=str(claimed.message.pk))
            _fail(this_run, claimed, f"{Unsendable.UNWRITABLE}: {type(error).__name__}", now=now)
    marked = dispatch.mark_sending(prepared)
    this_run.result.statuses += Counter({RELEASED: len(prepared) - len(marked)})
    return deque(marked)


def _fail(this_run: _Run, claimed: ClaimedMessage, reason: str, *, now: datetime) -> None:
    refusals.close(claimed.message, MessageStatus.FAILED, reason, now=now)
    this_run.result.statuses[MessageStatus.FAILED] += 1


def _dispatch(this_run: _Run, prepared: PreparedMessage, known: circuits.Known) -> bool:
    """Hand one message over if it may still go, and record the outcome; return whether its provider is down."""
    now, message, claimed = this_run.clock(), prepared.message, prepared.claimed
    if not may_go.may_still_go(message, claimed.asked, now=now) or not dispatch.start(prepared):
        leases.requeue([message.pk], now=now)
        this_run.result.statuses[RELEASED] += 1
        return False
    outcome = dispatch.hand_over(prepared, this_run.senders)
    status = outcomes.record(message, outcome, earlier=claimed.attempts, began_at=now, now=this_run.clock())
    this_run.result.statuses[status or RELEASED] += 1
    if status == MessageStatus.SENT:
        _start_validation_period(claimed, sent_at=now)
    if status != MessageStatus.SENT or message.request_id:
        log.info("message", message=str(message.pk), channel=message.communication_type, status=status)
    return _is_down(outcome, this_run, known)


def _start_validation_period(claimed: ClaimedMessage, *, sent_at: datetime) -> None:
    message = claimed.message
    if message.debt and claimed.variant and claimed.variant.is_validation_notice:
        validation_notice.record(message.debt, message_id=message.pk, sent_at=sent_at)


def _is_down(outcome: Outcome, this_run: _Run, known: circuits.Known) -> bool:
    """Record what an outcome shows about the provider; return whether it is down now."""
    provider = outcome.provider
    if outcome.down:
        this_run.failing.add(provider)
        return circuits.record_failure(provider, outcome.reason_text, now=this_run.clock())
    circuit = known.get(provider)
    if provider in this_run.failing or (circuit and circuit.failures):
        circuits.record_success(provider)
        this_run.failing.discard(provider)
        if circuit:
            circuit.failures = 0
    return False
