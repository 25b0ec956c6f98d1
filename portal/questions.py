"""The second question: whoever has the code or the link also knows the debtor's birth date or postcode, where one is on file.

A phone may be shared and a link forwarded. Nothing of the account is shown before the answer, and three wrong ones end the try.
"""

import unicodedata
import uuid
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.db import transaction
from django.db.models import F, Sum

from ddc.common.errors import DomainError
from debtors.models import Debtor
from portal.models import OtpSession, SignedLink

MAX_WRONG = 3
#: Wrong answers of one debtor in a day, over all sign-ins.
MAX_WRONG_A_DAY = 9
_LIFETIME = timedelta(minutes=10)
_DAY = timedelta(days=1)

Proof = OtpSession | SignedLink
_MODELS: Mapping[str, type[OtpSession] | type[SignedLink]] = {"code": OtpSession, "link": SignedLink}


class Question(StrEnum):
    DOB = "dob"
    POSTAL_CODE = "postalCode"


class WrongAnswer(DomainError):
    """The answer does not match, and may be tried again."""

    status = 401
    code = "answer"
    message = "That is not what we have on file. Please check it and try again."


class QuestionEnded(DomainError):
    """The question was answered wrongly three times, was answered already, or is too old."""

    status = 401
    code = "question"
    message = "This sign-in has ended. Please start again, or contact us."


def question_for(debtor: Debtor) -> Question | None:
    """Return what to ask a debtor; None where neither answer is on file."""
    if debtor.dob:
        return Question.DOB
    return Question.POSTAL_CODE if _normal(debtor.postal_code or "") else None


def token_for(proof: Proof) -> str:
    """Return the token with which the question about a verified code or a link is answered."""
    kind = "link" if isinstance(proof, SignedLink) else "code"
    return _signer().sign(f"{kind}.{proof.pk.hex}")


def pending(token: str, *, now: datetime) -> Proof:
    """Return the code or link of a token, with its debtor, while its question may still be answered.

    :raises QuestionEnded: if it may not
    """
    return _pending(token, now, lock=False)


def answer(token: str, text: str, *, now: datetime) -> Proof:
    """Check an answer: a date such as ``1984-03-27``, or a postcode. Each wrong one is counted before it is refused.

    :raises WrongAnswer: if it is wrong and may be tried again
    :raises QuestionEnded: if it was the third wrong one, or the question cannot be answered any more
    """
    with transaction.atomic(durable=True):  # No rollback takes a wrong answer back.
        proof = _pending(token, now, lock=True)
        debtor = proof.debtor
        assert debtor is not None
        if is_right(debtor, text):
            type(proof).objects.filter(pk=proof.pk).update(answered_right_at=now, updated_at=now)
            return proof
        type(proof).objects.filter(pk=proof.pk).update(wrong_answers=F("wrong_answers") + 1, updated_at=now)
        is_over = proof.wrong_answers + 1 >= MAX_WRONG
        if is_over and isinstance(proof, SignedLink):
            SignedLink.objects.filter(pk=proof.pk).update(ended_at=now)
    raise QuestionEnded if is_over else WrongAnswer


def is_right(debtor: Debtor, text: str) -> bool:
    """Return whether a text answers the debtor's question."""
    if debtor.dob:
        try:
            return date.fromisoformat(text.strip()) == debtor.dob
        except ValueError:
            return False
    return bool(_normal(text)) and _normal(text) == _normal(debtor.postal_code or "")


def _pending(token: str, now: datetime, *, lock: bool) -> Proof:
    proof = _find(token, lock=lock)
    if proof is None or proof.debtor is None or proof.wrong_answers >= MAX_WRONG:
        raise QuestionEnded
    if isinstance(proof, SignedLink):
        is_open = proof.ended_at is None and proof.expires_at > now
    else:
        is_open = proof.answered_right_at is None and proof.used_at is not None and now < proof.used_at + _LIFETIME
    if not is_open or _wrong_today(proof.debtor, now) >= MAX_WRONG_A_DAY:
        raise QuestionEnded
    return proof


def _find(token: str, *, lock: bool) -> Proof | None:
    try:
        kind, _, pk = _signer().unsign(token).partition(".")
        rows = _MODELS[kind].objects.select_related("debtor").filter(pk=uuid.UUID(pk))
    except (BadSignature, KeyError, ValueError):
        return None
    return (rows.select_for_update(of=("self",)) if lock else rows).first()


def _wrong_today(debtor: Debtor, now: datetime) -> int:
    sums = (
        model.objects.filter(debtor=debtor, wrong_answers__gt=0, updated_at__gt=now - _DAY).aggregate(
            wrong=Sum("wrong_answers")
        )["wrong"]
        for model in _MODELS.values()
    )
    return sum(wrong or 0 for wrong in sums)


def _normal(text: str) -> str:
    """Return the letters and digits of a postcode, in one case."""
    return "".join(letter for letter in unicodedata.normalize("NFKC", text).upper() if letter.isalnum())


def _signer() -> Signer:
    return Signer(key=settings.OTP_KEY, fallback_keys=[*settings.OTP_KEY_FALLBACKS], salt="portal.questions")
