"""Change a debtor's phone or e-mail address, once they have entered a code that went to the new one."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F

from communications.outbox import outbox
from communications.texts import one_time_code
from contact.models import Purpose
from ddc.common import rate_limits
from ddc.common.days import agency_today
from ddc.common.errors import Invalid
from ddc.common.postgresql.batches import delete_in_batches
from ddc.common.rate_limits import RateLimit
from debtors import contact_points, debtors, emails, phones
from debtors.channels import AddressKind, Channel
from debtors.models import Debtor
from portal import activities, otp
from portal.models import AddressChange

_CHANNELS = {AddressKind.EMAIL: Channel.EMAIL, AddressKind.PHONE: Channel.SMS}
_FIELDS = {AddressKind.EMAIL: "email", AddressKind.PHONE: "mobile_phone"}
_KEPT_FOR = timedelta(days=2)
_SUBJECT = "Your code for {{agency_name}}"
_TEXT = "{{otp_code}} is your code to confirm this address for {{agency_name}}. It is good for 5 minutes."


class WrongCode(Invalid):
    """The code is wrong, expired or used. Unlike at sign-in the debtor is known, so the answer is no 401."""

    code = "otp"
    field = "otp_code"
    message = "The code is wrong or no longer valid. Please ask for a new one."


class SameAddress(Invalid):
    code = "unchanged"
    message = "We have this address already."


@dataclass(frozen=True)
class Wanted:
    """A new address: its kind, as it was entered, its normal form, and how messages are addressed to it."""

    kind: AddressKind
    value: str
    normal: str
    dialled: str


def parse(text: str, kind: AddressKind, debtor: Debtor) -> Wanted:
    """Read a new address of a debtor.

    :raises InvalidEmail, InvalidPhone: if it is none
    :raises SameAddress: if it is the current one
    """
    text = text.strip()
    if kind == AddressKind.EMAIL:
        emails.check(text, field="email")
        wanted, current = Wanted(kind, text, emails.normal_form(text), text), debtor.normal_email
    else:
        phone = phones.as_typed(text, region=debtor.country_code)
        wanted, current = Wanted(kind, phone, phones.normal_form(phone), phones.dialled(phone)), debtor.normal_phone
    if wanted.normal == current:
        raise SameAddress(field=_FIELDS[kind])
    return wanted


@transaction.atomic
def request(debtor: Debtor, wanted: Wanted, *, now: datetime) -> AddressChange:
    """Send a code to the new address. The answer is the same if it is suppressed or another debtor's.

    :raises TooMany: if there were too many codes for this debtor, for the address, or in total
    """
    rate_limits.serialize("address change", str(debtor.pk))
    rate_limits.serialize("address change to", wanted.normal)
    quarter, day = timedelta(minutes=15), timedelta(days=1)
    mine = AddressChange.objects.filter(debtor=debtor)
    there = AddressChange.objects.filter(normal_value=wanted.normal)
    limits = [
        (rows, RateLimit(most, period))
        for rows in (mine, there)
        for most, period in ((settings.OTP_PER_PHONE, quarter), (settings.OTP_PER_PHONE_DAY, day))
    ]
    total = RateLimit(settings.OTP_PER_HOUR, timedelta(hours=1))
    rate_limits.consume([*limits, (AddressChange.objects.all(), total)], now=now)
    mine.filter(kind=wanted.kind, done_at=None, expires_at__gt=now).update(expires_at=now, updated_at=now)
    change = AddressChange.objects.create(
        debtor=debtor,
        kind=wanted.kind,
        value=wanted.value,
        normal_value=wanted.normal,
        expires_at=now + timedelta(seconds=settings.OTP_LIFETIME_SECONDS),
        created_at=now,
    )
    channel = _CHANNELS[wanted.kind]
    outbox.queue(
        debtor=debtor,
        channel=channel,
        subject=_SUBJECT if channel == Channel.EMAIL else None,
        body=_TEXT,
        purpose=Purpose.CODE,
        new_address=wanted.dialled,
        one_time_code_of=change.pk,
        expires_at=change.expires_at,
        now=now,
    )
    return change


def confirm(change: AddressChange, code: str, *, now: datetime) -> Debtor:
    """Change the address if it is the right code; return the debtor. All tokens of the debtor end.

    Each try is counted before the code is compared, and stays counted; a text that cannot be a code is not counted.

    :raises WrongCode: if the code is wrong, too old or used, or was tried ``otp.MAX_TRIES`` times
    :raises Duplicate: if the address is another debtor's
    """
    if not (code.isascii() and code.isdigit()):
        raise WrongCode
    with transaction.atomic(durable=True):
        usable = AddressChange.objects.filter(pk=change.pk, done_at=None, expires_at__gt=now, tries__lt=otp.MAX_TRIES)
        counted = usable.update(tries=F("tries") + 1, updated_at=now)
    if not counted or not one_time_code.is_right(change.pk, code):
        raise WrongCode
    return _carry_out(change, now=now)


@transaction.atomic
def _carry_out(change: AddressChange, *, now: datetime) -> Debtor:
    """Use the change, which only one of several simultaneous tries can do."""
    if not AddressChange.objects.filter(pk=change.pk, done_at=None).update(done_at=now, updated_at=now):
        raise WrongCode
    kind = AddressKind(change.kind)
    debtor = debtors.amend(change.debtor, today=agency_today(now), **{_FIELDS[kind]: change.value})
    contact_points.verify(debtor, kind=kind, value=change.normal_value, now=now)
    activities.record_step(debtor, "address_changed", now=now)
    return debtor


def delete_old(*, now: datetime) -> int:
    """Delete changes older than two days, done or not. Return their number."""
    return delete_in_batches(AddressChange.objects.filter(created_at__lt=now - _KEPT_FOR))
