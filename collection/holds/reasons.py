"""What each reason for a hold demands: what it blocks, how long it lasts, when it is looked at again, who has to agree."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from django.db.models import Q
from django.db.models.functions import Now, TruncDate

from collection.models import Hold
from debtors import calendars

Reason = Hold.Reason


class Block(StrEnum):
    """What a hold can stop."""

    CONTACT = "contact"
    STRATEGY = "strategy"
    PAYMENT_REQUESTS = "payment_requests"
    INTEREST = "interest"


_COLLECTION = frozenset({Block.CONTACT, Block.STRATEGY, Block.PAYMENT_REQUESTS})
_ALL = frozenset(Block)
_NOTHING: frozenset[Block] = frozenset()


@dataclass(frozen=True)
class Terms:
    """The terms of a reason.

    ``blocks`` is what it blocks unless told otherwise, ``at_least`` what it can't do without. ``lasts`` and ``review_after``
    are in days from its first one. ``is_open``: it has no end until one is told. ``needs_approval``: it rests on the agency's
    own judgement, not on a law, so a supervisor has to agree; until then it counts all the same.
    """

    blocks: frozenset[Block] = _COLLECTION
    at_least: frozenset[Block] = _NOTHING
    lasts: int | None = None
    review_after: int | None = None
    is_open: bool = False
    needs_approval: bool = False
    by_hand: bool = True

    def end_of(self, starts_on: date) -> date | None:
        """Return the first day without the hold, where the law says how long it lasts."""
        return calendars.later(starts_on, days=self.lasts) if self.lasts else None

    def review_of(self, starts_on: date) -> date | None:
        """Return by when somebody has to look at it again."""
        return calendars.later(starts_on, days=self.review_after) if self.review_after else None


#: After the last day of the treatment, in days (SI 2020/1311, reg. 32).
AFTER_TREATMENT = timedelta(days=30)

TERMS: dict[Reason, Terms] = {
    # Granted on a request, and entered as disputes: those rules place and end them.
    Reason.DEFERRAL: Terms(by_hand=False),
    Reason.DISPUTE: Terms(at_least=_COLLECTION, by_hand=False),
    # SI 2020/1311, reg. 7 (interest, fees, enforcement and contact about the debt), reg. 26 (60 days, the first one counted),
    # reg. 27 (the adviser's midway review, from the 25th to the 35th day).
    Reason.MORATORIUM: Terms(blocks=_ALL, at_least=_ALL, lasts=60, review_after=34),
    # SI 2020/1311, reg. 32 (as long as the treatment, and 30 days); reg. 33: asked about every 20 to 30 days.
    Reason.MENTAL_HEALTH_MORATORIUM: Terms(blocks=_ALL, at_least=_ALL, review_after=30, is_open=True),
    # 15 U.S.C. 1692c(c); 12 CFR 1006.6(c).
    Reason.CEASE: Terms(at_least=_COLLECTION),
    # 12 CFR 1006.6(b)(2): whoever has an attorney is spoken with through them.
    Reason.ATTORNEY: Terms(at_least=frozenset({Block.CONTACT, Block.STRATEGY}), review_after=90),
    # 11 U.S.C. 362(a)(6).
    Reason.BANKRUPTCY: Terms(blocks=_ALL, at_least=_COLLECTION, review_after=90),
    Reason.DECEASED: Terms(blocks=_ALL, at_least=frozenset({Block.CONTACT, Block.STRATEGY}), review_after=90),
    # CONC 7.2, 7.10.
    Reason.VULNERABLE: Terms(review_after=30, needs_approval=True),
    # Who pays as agreed is written to about that, and not asked for more.
    Reason.ARRANGEMENT: Terms(
        blocks=frozenset({Block.STRATEGY, Block.PAYMENT_REQUESTS}), review_after=30, needs_approval=True
    ),
    Reason.CLIENT_REQUEST: Terms(review_after=30, needs_approval=True),
    # DISP 1.6.2R: eight weeks for the final answer.
    Reason.COMPLAINT: Terms(review_after=56, needs_approval=True),
}

#: The holds that wait for a supervisor's approval. They count all the same.
WAITING = Q(
    reason__in=[reason for reason, terms in TERMS.items() if terms.needs_approval],
    approved_by__isnull=True,
    lifted_at__isnull=True,
)

#: The holds that somebody has to look at again by today, or had to before.
DUE_FOR_REVIEW = Q(lifted_at__isnull=True, review_on__lte=TruncDate(Now()))
