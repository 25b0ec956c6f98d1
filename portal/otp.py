"""Sign in debtors by one-time codes: request a code, send it, verify it.

A code is derived from its session's id and never stored. Requests and tries do the same work for known and unknown addresses;
only a worker finds the debtor.

Strangers who know a phone cannot keep its owner out: requests are counted per phone and IP address, a request replaces only codes
that were requested from the same IP address, and tries with the attempt token of a request are counted apart from all others.
"""

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import Exists, OuterRef

from agents import sign_in_limits
from communications.models import UNFINISHED_STATUSES, CommunicationLog, CommunicationTemplate
from communications.outbox import outbox
from communications.texts import one_time_code, placeholders, templates
from contact.models import Purpose
from ddc.common import rate_limits
from ddc.common.errors import DomainError
from ddc.common.observing import tracing
from ddc.common.postgresql import recorded
from ddc.common.postgresql.batches import delete_in_batches
from ddc.common.process.wake import wake_worker
from ddc.common.rate_limits import RateLimit
from debtors import consents, contact_points
from debtors.channels import AddressKind, Channel
from debtors.models import Debtor
from portal import addresses, attempt_tokens, tokens
from portal.attempt_tokens import NO_SESSION
from portal.models import OtpSession, SignedLink

#: Tries of one code without an attempt token, and as many with the token of one request.
MAX_TRIES = 5
#: So many IP addresses can use up their day's codes for a phone before the phone gets none.
CLIENTS_PER_ADDRESS = 2
#: The agency's own templates by channel; a template has one type, so each has a name of its own.
TEMPLATES = {Channel.SMS: "one_time_code", Channel.EMAIL: "one_time_code_email"}
SUBJECT = "Your sign-in code for {{agency_name}}"
TEXT = "{{otp_code}} is your sign-in code for {{agency_name}}. It is good for 5 minutes. We never ask you for it."
#: The rate limits count the requests of one day.
_KEPT_FOR = timedelta(days=2)

_CODE = re.compile(r"[0-9]{4,8}", re.ASCII)

log = structlog.get_logger(__name__)


class MalformedCode(DomainError):
    """A code has 4 to 8 digits."""

    status = 422
    code = "regex"
    field = "otp_code"
    message = "The code has 4 to 8 digits."


class WrongCode(DomainError):
    """The code is wrong, expired, used, or was never sent. The answer is the same for all, so that it reveals no address."""

    status = 401
    code = "otp"
    message = "The code is wrong or no longer valid. Please ask for a new one."


@dataclass(frozen=True)
class SignedIn:
    """A debtor who has signed in, with the new token."""

    token: str
    expires_at: datetime
    debtor: Debtor


@transaction.atomic
def request(address: str, *, client_ip: str | None, now: datetime) -> OtpSession:
    """Start a sign-in for a phone or an e-mail address, known or not, and end those requested for it from the same IP address.

    :raises InvalidPhone: if it is neither a phone number nor has an ``@``
    :raises InvalidEmail: if it has an ``@`` and is not an e-mail address
    :raises TooMany: if there were too many requests for the address or from the IP address
    """
    to = addresses.parse(address)
    quarter, day = timedelta(minutes=15), timedelta(days=1)
    rate_limits.serialize("otp address", to.value)
    rate_limits.serialize("otp client ip", client_ip or "unknown")
    of_address = OtpSession.objects.filter(address=to.value)
    of_client = OtpSession.objects.filter(client_ip=client_ip)
    of_both = of_address.filter(client_ip=client_ip)
    limits = [
        (of_both, RateLimit(settings.OTP_PER_PHONE, quarter)),
        (of_both, RateLimit(settings.OTP_PER_PHONE_DAY, day)),
        (of_address, RateLimit(CLIENTS_PER_ADDRESS * settings.OTP_PER_PHONE_DAY, day)),
        (of_client, RateLimit(settings.OTP_PER_ADDRESS, quarter)),
    ]
    rate_limits.consume(limits, now=now)
    of_both.filter(replaced_at__isnull=True).update(replaced_at=now, updated_at=now)
    session = OtpSession.objects.create(
        address=to.value,
        client_ip=client_ip,
        expires_at=now + timedelta(seconds=settings.OTP_LIFETIME_SECONDS),
        created_at=now,
    )
    wake_worker("portal.tasks.answer_otp_requests")
    return session


def answer(*, clock: Callable[[], datetime]) -> int:
    """Send a code for each request if its address is a debtor's. Return the number of processed requests.

    Each request takes its own transaction, and is skipped while another worker has it. One that fails is tried again next time,
    and does not delay the others.
    """
    answered = 0
    failed: list[uuid.UUID] = []
    while True:
        unanswered = OtpSession.objects.filter(answered_at__isnull=True).exclude(pk__in=failed).order_by("created_at")
        with transaction.atomic():
            session = unanswered.select_for_update(skip_locked=True).first()
            if session is None:
                return answered
            try:
                with transaction.atomic(), tracing.caused_by(session.request_id):
                    send_code(session, now=clock())
                answered += 1
            except DatabaseError:
                raise
            except Exception:
                log.exception("otp_request_failed", session=str(session.pk))
                failed.append(session.pk)


def verify(
    address: str, code: str, *, attempt_token: str | None = None, client_ip: str | None = None, now: datetime
) -> OtpSession:
    """Use a code, once, and return its session with the debtor.

    Each try is counted before the code is checked, and stays counted.

    The newest code of the address is right, and with an attempt token that of its own request too, because people who got two
    messages cannot tell them apart. ``sign_in`` ends the sign-in, at once or after the second question.

    :raises InvalidPhone, InvalidEmail: like ``request``
    :raises MalformedCode: if it cannot be a code; this is not counted as a try
    :raises WrongCode: if it is not a current code of the address
    :raises TooMany: if there were too many wrong codes from the IP address
    """
    if not _CODE.fullmatch(code):
        raise MalformedCode
    value = addresses.parse(address).value
    with transaction.atomic(durable=True):  # No rollback takes a try back.
        attempt = sign_in_limits.begin(
            sign_in_limits.Kind.CODE, sign_in_limits.CODES_PER_ADDRESS, client_ip=client_ip, now=now
        )
        counted = count_try(value, attempt_tokens.session_of(attempt_token), now)
    right = [session_id for session_id in counted.sessions if one_time_code.is_right(session_id, code)]
    if counted.tries > MAX_TRIES or not right:
        raise WrongCode
    session = use_session(right[0], now)
    attempt.delete()
    return session


def sign_in(proof: OtpSession | SignedLink, *, now: datetime) -> SignedIn:
    """Sign in the debtor of a used code or of a link whose question was answered. A code proves that they have its address."""
    debtor = proof.debtor
    assert debtor is not None
    if isinstance(proof, OtpSession):
        with recorded.signed_in("debtor", debtor.pk), transaction.atomic():
            kind = addresses.parse(proof.address).channel.address_kind
            contact_points.verify(debtor, kind=kind, value=proof.address, now=now)
            if kind == AddressKind.PHONE:
                consents.record_use(debtor, phone=debtor.mobile_phone or "", now=now)
    token, expires_at = tokens.issue(debtor, now=now)
    return SignedIn(token, expires_at, debtor)


def delete_old(*, now: datetime) -> int:
    """Delete sessions older than two days, unless their message is unsent. Return their number."""
    unsent = CommunicationLog.objects.filter(status__in=UNFINISHED_STATUSES, one_time_code_of=OuterRef("pk"))
    return delete_in_batches(OtpSession.objects.filter(~Exists(unsent), created_at__lt=now - _KEPT_FOR))


def send_code(session: OtpSession, *, now: datetime) -> None:
    """Process a request: send the code if it is still valid and its address is a debtor's."""
    session.answered_at = now
    if session.replaced_at is None and now < session.expires_at:
        session.debtor = _debtor_of(session, now)
    session.save(update_fields=["answered_at", "debtor", "updated_at"])
    if session.debtor:
        channel = addresses.parse(session.address).channel
        template = _template(session.debtor, channel)
        outbox.queue(
            debtor=session.debtor,
            channel=channel,
            template=template,
            subject=SUBJECT if channel == Channel.EMAIL and not template else None,
            body=None if template else TEXT,
            purpose=Purpose.CODE,
            now=now,
            one_time_code_of=session.pk,
            expires_at=session.expires_at,
        )


def _debtor_of(session: OtpSession, now: datetime) -> Debtor | None:
    """Return the debtor who has the address; None if there is none, or if this hour's codes are used up."""
    debtor = addresses.parse(session.address).owners().first()
    if debtor is None:
        return None
    rate_limits.serialize("otp codes", "of all addresses")
    sent = OtpSession.objects.filter(debtor__isnull=False, answered_at__gt=now - timedelta(hours=1))
    if sent.count() >= settings.OTP_PER_HOUR:
        log.error("otp_hourly_limit_reached", limit=settings.OTP_PER_HOUR)
        return None
    return debtor


def _template(debtor: Debtor, channel: Channel) -> CommunicationTemplate | None:
    """Return the agency's template in the debtor's language, if there is one and it contains the code."""
    found = templates.named(TEMPLATES[channel], channel, language=debtor.language_preference)
    return found if found and "otp_code" in placeholders.used(found.body) else None


@dataclass(frozen=True)
class CountedTry:
    """A counted try: its number among the tries of its kind, and the two sessions with a code that it may match.

    ``NO_SESSION`` stands for one that does not exist, so that the same work is done for it.
    """

    tries: int
    sessions: tuple[uuid.UUID, uuid.UUID]


def count_try(address: str, asked: uuid.UUID, now: datetime) -> CountedTry:
    """Count a try: on the session of its attempt token if that is the address's and not over, else on its newest session.

    One statement gives simultaneous tries different numbers, with and without a token apart.
    """
    with connection.cursor() as cursor:
        cursor.execute(_COUNT_TRY, {"now": now, "address": address, "asked": asked})
        newest, own, tries = cursor.fetchone()
    return CountedTry(tries, (newest or NO_SESSION, own or NO_SESSION))


_COUNT_TRY = """
    WITH newest AS (
        SELECT id FROM otp_session WHERE address = %(address)s AND replaced_at IS NULL
        ORDER BY created_at DESC, id DESC LIMIT 1
    ), asked AS (
        SELECT id, replaced_at FROM otp_session
        WHERE id = %(asked)s AND address = %(address)s AND used_at IS NULL AND expires_at > %(now)s
    ), counted AS (
        UPDATE otp_session SET
            tries = LEAST(tries + (NOT EXISTS (SELECT FROM asked))::int, 1000),
            tries_with_token = LEAST(tries_with_token + EXISTS (SELECT FROM asked)::int, 1000),
            updated_at = %(now)s
        WHERE id = COALESCE((SELECT id FROM asked), (SELECT id FROM newest))
        RETURNING CASE WHEN EXISTS (SELECT FROM asked) THEN tries_with_token ELSE tries END AS number
    )
    SELECT (SELECT id FROM newest), (SELECT id FROM asked WHERE replaced_at IS NULL),
        COALESCE((SELECT number FROM counted), 0)
"""


@transaction.atomic
def use_session(session_id: uuid.UUID, now: datetime) -> OtpSession:
    """Use the session, which only one of several simultaneous tries can do."""
    session = OtpSession.objects.select_related("debtor").filter(pk=session_id).first()
    debtor = session.debtor if session else None
    usable = OtpSession.objects.filter(
        pk=session_id, used_at__isnull=True, replaced_at__isnull=True, expires_at__gt=now, debtor__isnull=False
    )
    if session is None or debtor is None or not addresses.is_current(debtor, session.address):
        raise WrongCode
    if not usable.update(used_at=now, updated_at=now):
        raise WrongCode
    session.used_at = now
    return session
