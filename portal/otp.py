"""One-time codes: ask for one, have it sent, sign in with it.

A code is derived from its session's id and stored nowhere. Asking does the same work for a phone that is known and for one that
is not; a worker then finds the debtor.
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

from communications.models import CommunicationLog, CommunicationTemplate, MessageStatus, Purpose
from communications.outbox import outbox
from communications.texts import one_time_code, templates
from ddc.common.errors import DomainError
from ddc.common.observing import tracing
from ddc.common.process.wake import wake_worker
from debtors import contact_points, phones
from debtors.channels import AddressKind, Channel
from debtors.models import Debtor
from portal import rate_limits, tokens
from portal.models import OtpSession
from portal.rate_limits import Ration

MOST_TRIES = 5
TEMPLATE = "one_time_code"
TEXT = "{{otp_code}} is your sign-in code for {{agency_name}}. It is good for 5 minutes. We never ask you for it."
#: The rations look back a day.
_KEPT_FOR = timedelta(days=2)

_CODE = re.compile(r"[0-9]{4,8}", re.ASCII)
_CARRIES_CODE = re.compile(r"\{\{\s*otp_code\s*\}\}")
_WAITING = (MessageStatus.QUEUED, MessageStatus.POSTPONED, MessageStatus.CLAIMED, MessageStatus.SENDING)
_NOBODYS_SESSION = uuid.UUID(int=0)

log = structlog.get_logger(__name__)


class MalformedCode(DomainError):
    """A code has 4 to 8 digits."""

    status = 422
    code = "regex"
    field = "otp_code"
    message = "The code has 4 to 8 digits."


class WrongCode(DomainError):
    """The code is wrong, too old, used, or was never sent; which of these is not told."""

    status = 401
    code = "otp"
    message = "The code is wrong or no longer valid. Please ask for a new one."


@dataclass(frozen=True)
class SignedIn:
    """A debtor with a token of their own."""

    token: str
    expires_at: datetime
    debtor: Debtor


@transaction.atomic
def request(mobile_phone: str, *, caller_address: str | None, now: datetime) -> OtpSession:
    """Start a sign-in for a phone, known or not, and end the phone's earlier ones.

    :raises InvalidPhone: if it is not a phone number
    :raises TooMany: if the phone or the address has asked too often
    """
    phone = phones.normalise(mobile_phone, None)
    quarter, day = timedelta(minutes=15), timedelta(days=1)
    of_phone = OtpSession.objects.filter(mobile_phone=phone)
    allowed = [
        (of_phone, Ration(settings.OTP_PER_PHONE, quarter)),
        (of_phone, Ration(settings.OTP_PER_PHONE_DAY, day)),
    ]
    rate_limits.queue_up("otp phone", phone)
    if caller_address:
        rate_limits.queue_up("otp address", caller_address)
        of_address = OtpSession.objects.filter(caller_address=caller_address)
        allowed.append((of_address, Ration(settings.OTP_PER_IP, quarter)))
    rate_limits.spend(allowed, now=now)
    of_phone.filter(replaced_at__isnull=True).update(replaced_at=now, updated_at=now)
    session = OtpSession.objects.create(
        mobile_phone=phone,
        caller_address=caller_address,
        expires_at=now + timedelta(seconds=settings.OTP_LIFETIME_SECONDS),
        created_at=now,
    )
    wake_worker("portal.tasks.answer_otp_requests")
    return session


def answer(*, clock: Callable[[], datetime]) -> int:
    """Send codes to those among the waiting who are debtors; return how many sessions were dealt with.

    Each is a transaction of its own and passed by while another worker has it. One that fails is left for the next time, and
    holds up no other.
    """
    answered = 0
    failed: list[uuid.UUID] = []
    while True:
        waiting = OtpSession.objects.filter(answered_at__isnull=True).exclude(pk__in=failed).order_by("created_at")
        with transaction.atomic():
            session = waiting.select_for_update(skip_locked=True).first()
            if session is None:
                return answered
            try:
                with transaction.atomic(), tracing.caused_by(session.request_id):
                    _answer(session, now=clock())
                answered += 1
            except DatabaseError:
                raise
            except Exception:
                log.exception("otp_request_not_answered", session=str(session.pk))
                failed.append(session.pk)


def verify(mobile_phone: str, code: str, *, now: datetime) -> SignedIn:
    """Exchange a code for a token, once. Each try is counted before the code is looked at, and stays counted.

    :raises InvalidPhone: if it is not a phone number
    :raises MalformedCode: if that is no code; no try is spent
    :raises WrongCode: if it is not the phone's code, or not any more
    """
    if not _CODE.fullmatch(code):
        raise MalformedCode
    session, tries = _count_try(phones.normalise(mobile_phone, None), now)
    right = one_time_code.is_right(session.pk if session else _NOBODYS_SESSION, code)
    if session is None or tries > MOST_TRIES or not right:
        raise WrongCode
    return _use(session, now)


def clear_out(*, now: datetime) -> int:
    """Delete sessions older than two days, but for those whose message still waits; return how many."""
    waits = CommunicationLog.objects.filter(status__in=_WAITING, one_time_code_of=OuterRef("pk"))
    deleted, _ = OtpSession.objects.filter(~Exists(waits), created_at__lt=now - _KEPT_FOR).delete()
    return deleted


def _answer(session: OtpSession, *, now: datetime) -> None:
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
    """Return the agency's own wording in the debtor's language, if there is one and it carries the code."""
    found = templates.named(TEMPLATE, Channel.SMS, language=debtor.language_preference)
    return found if found and _CARRIES_CODE.search(found.body) else None


def _count_try(phone: str, now: datetime) -> tuple[OtpSession | None, int]:
    """Count a try on the phone's latest session, whatever state that is in; return it and which try this is.

    One statement, so that any number at once get a number each; committed, so that nothing takes the try back.
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
def _use(session: OtpSession, now: datetime) -> SignedIn:
    """Use the session up; of several at once, one finds it unused. Whoever has the code has the phone."""
    debtor = Debtor.objects.filter(otp_sessions=session, mobile_phone=session.mobile_phone).first()
    usable = OtpSession.objects.filter(
        pk=session.pk, used_at__isnull=True, replaced_at__isnull=True, expires_at__gt=now, debtor__isnull=False
    )
    if debtor is None or not usable.update(used_at=now, updated_at=now):
        raise WrongCode
    contact_points.verify(debtor, kind=AddressKind.PHONE, value=session.mobile_phone, now=now)
    token, expires_at = tokens.issue(debtor, now=now)
    return SignedIn(token, expires_at, debtor)
