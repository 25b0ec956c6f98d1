"""Sign in debtors by one-time codes: request a code, send it, verify it.

A code is derived from its session's id and never stored. A request does the same work for known and unknown phones; a worker then
finds the debtor.
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

from communications.models import CommunicationLog, CommunicationTemplate, MessageStatus
from communications.outbox import outbox
from communications.texts import one_time_code, placeholders, templates
from contact.models import Purpose
from ddc.common import rate_limits
from ddc.common.errors import DomainError
from ddc.common.observing import tracing
from ddc.common.process.wake import wake_worker
from ddc.common.rate_limits import RateLimit
from debtors import contact_points, phones
from debtors.channels import AddressKind, Channel
from debtors.models import Debtor
from portal import tokens
from portal.models import OtpSession

MAX_TRIES = 5
TEMPLATE = "one_time_code"
TEXT = "{{otp_code}} is your sign-in code for {{agency_name}}. It is good for 5 minutes. We never ask you for it."
#: The rate limits count the requests of one day.
_KEPT_FOR = timedelta(days=2)

_CODE = re.compile(r"[0-9]{4,8}", re.ASCII)
_UNSENT = (MessageStatus.QUEUED, MessageStatus.POSTPONED, MessageStatus.CLAIMED, MessageStatus.SENDING)
#: Checked for a phone without a session, so that this takes as long as any other check.
_NO_SESSION = uuid.UUID(int=0)

log = structlog.get_logger(__name__)


class MalformedCode(DomainError):
    """A code has 4 to 8 digits."""

    status = 422
    code = "regex"
    field = "otp_code"
    message = "The code has 4 to 8 digits."


class WrongCode(DomainError):
    """The code is wrong, expired, used, or was never sent. The answer is the same for all, so that it reveals no phone."""

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
def request(mobile_phone: str, *, client_ip: str | None, now: datetime) -> OtpSession:
    """Start a sign-in for a phone, known or not, and end its earlier ones.

    :raises InvalidPhone: if it is not a phone number
    :raises TooMany: if there were too many requests for the phone or from the IP address
    """
    phone = phones.normalise(mobile_phone, None)
    quarter, day = timedelta(minutes=15), timedelta(days=1)
    of_phone = OtpSession.objects.filter(mobile_phone=phone)
    limits = [
        (of_phone, RateLimit(settings.OTP_PER_PHONE, quarter)),
        (of_phone, RateLimit(settings.OTP_PER_PHONE_DAY, day)),
    ]
    rate_limits.serialize("otp phone", phone)
    rate_limits.serialize("otp client ip", client_ip or "unknown")
    of_client = OtpSession.objects.filter(client_ip=client_ip)
    limits.append((of_client, RateLimit(settings.OTP_PER_IP, quarter)))
    rate_limits.consume(limits, now=now)
    of_phone.filter(replaced_at__isnull=True).update(replaced_at=now, updated_at=now)
    session = OtpSession.objects.create(
        mobile_phone=phone,
        client_ip=client_ip,
        expires_at=now + timedelta(seconds=settings.OTP_LIFETIME_SECONDS),
        created_at=now,
    )
    wake_worker("portal.tasks.answer_otp_requests")
    return session


def answer(*, clock: Callable[[], datetime]) -> int:
    """Send a code for each request if its phone is a debtor's. Return the number of processed requests.

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


def verify(mobile_phone: str, code: str, *, now: datetime) -> SignedIn:
    """Exchange a code for a token, once. Each try is counted before the code is checked, and stays counted.

    :raises InvalidPhone: if it is not a phone number
    :raises MalformedCode: if it cannot be a code; this is not counted as a try
    :raises WrongCode: if it is not the current code of the phone
    """
    if not _CODE.fullmatch(code):
        raise MalformedCode
    session, tries = count_try(phones.normalise(mobile_phone, None), now)
    right = one_time_code.is_right(session.pk if session else _NO_SESSION, code)
    if session is None or tries > MAX_TRIES or not right:
        raise WrongCode
    return use_session(session, now)


def delete_old(*, now: datetime) -> int:
    """Delete sessions older than two days, unless their message is unsent. Return their number."""
    unsent = CommunicationLog.objects.filter(status__in=_UNSENT, one_time_code_of=OuterRef("pk"))
    deleted, _ = OtpSession.objects.filter(~Exists(unsent), created_at__lt=now - _KEPT_FOR).delete()
    return deleted


def send_code(session: OtpSession, *, now: datetime) -> None:
    """Process a request: send the code if it is still valid and its phone is a debtor's."""
    session.answered_at = now
    if session.replaced_at is None and now < session.expires_at:
        session.debtor = Debtor.objects.filter(mobile_phone=session.mobile_phone).first()
    session.save(update_fields=["answered_at", "debtor", "updated_at"])
    if session.debtor:
        template = _template(session.debtor)
        outbox.queue(
            debtor=session.debtor,
            channel=Channel.SMS,
            template=template,
            body=None if template else TEXT,
            purpose=Purpose.SOLICITED,
            now=now,
            one_time_code_of=session.pk,
            expires_at=session.expires_at,
        )


def _template(debtor: Debtor) -> CommunicationTemplate | None:
    """Return the agency's template in the debtor's language, if there is one and it contains the code."""
    found = templates.named(TEMPLATE, Channel.SMS, language=debtor.language_preference)
    return found if found and "otp_code" in placeholders.used(found.body) else None


def count_try(phone: str, now: datetime) -> tuple[OtpSession | None, int]:
    """Count a try on the phone's latest session, in any state. Return the session and the number of this try.

    One statement gives simultaneous tries different numbers. It is committed, so that no rollback takes the try back.
    """
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE otp_session SET tries = LEAST(tries + 1, 1000), updated_at = %(now)s
            WHERE id = (
                SELECT id FROM otp_session WHERE mobile_phone = %(phone)s AND replaced_at IS NULL
                ORDER BY created_at DESC, id DESC LIMIT 1
            )
            RETURNING id, tries
            """,
            {"now": now, "phone": phone},
        )
        counted = cursor.fetchone()
    if counted is None:
        return None, 0
    return OtpSession.objects.filter(pk=counted[0]).first(), counted[1]


@transaction.atomic
def use_session(session: OtpSession, now: datetime) -> SignedIn:
    """Use the session, which only one of several simultaneous tries can do. The code proves that the debtor has the phone."""
    debtor = Debtor.objects.filter(otp_sessions=session, mobile_phone=session.mobile_phone).first()
    usable = OtpSession.objects.filter(
        pk=session.pk, used_at__isnull=True, replaced_at__isnull=True, expires_at__gt=now, debtor__isnull=False
    )
    if debtor is None or not usable.update(used_at=now, updated_at=now):
        raise WrongCode
    contact_points.verify(debtor, kind=AddressKind.PHONE, value=session.mobile_phone, now=now)
    token, expires_at = tokens.issue(debtor, now=now)
    return SignedIn(token, expires_at, debtor)
