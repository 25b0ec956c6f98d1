"""Create, amend and delete segments."""

from collections.abc import Container
from typing import Any

from django.db import transaction

from collection.models import Segment
from ddc.common import money
from ddc.common.errors import DomainError, Duplicate, Missing, OutOfRange, deleting, refusing


class EmptyBand(OutOfRange):
    message = "The upper bound must be greater than the lower one. A band is min ≤ x < max."


class BandWithoutCurrency(Missing):
    field = "currency_code"
    message = "A balance band needs a currency. Choose one."


class SegmentInUse(DomainError):
    message = "This segment has debts or strategy rules and can't be deleted."


_BANDS = ("p2p_score", "balance", "days_since_placement")
_CONSTRAINTS: dict[str, DomainError] = {
    "segment_name_is_unique": Duplicate("Another segment has this name.", field="name")
}


def create(**fields: Any) -> Segment:
    """Create a segment. The next assignment moves debts into it.

    :raises Duplicate: if the name is taken
    :raises EmptyBand: if a band is empty
    :raises BandWithoutCurrency: if a balance band has no currency
    :raises BadAmount: if a bound has more decimals than the currency
    """
    return _save(Segment(), fields)


@transaction.atomic
def amend(segment: Segment, **fields: Any) -> Segment:
    """Change some fields. The next assignment moves debts.

    :raises DomainError: as ``create`` does
    """
    return _save(Segment.objects.select_for_update(no_key=True).get(pk=segment.pk), fields)


def delete(segment: Segment) -> None:
    """Delete a segment that nothing uses.

    :raises SegmentInUse: if a debt or a strategy rule does
    """
    if segment.debts.exists():
        raise SegmentInUse  # Django would load each debt first.
    with deleting(SegmentInUse):
        Segment.objects.filter(pk=segment.pk).delete()


def _save(segment: Segment, fields: dict[str, Any]) -> Segment:
    for name, value in fields.items():
        setattr(segment, name, value)
    _check(segment, given=fields)
    with refusing(_CONSTRAINTS):
        segment.save()
    return segment


def _check(segment: Segment, *, given: Container[str]) -> None:
    for band in _BANDS:
        least, most = getattr(segment, f"min_{band}"), getattr(segment, f"max_{band}")
        if least is not None and most is not None and least >= most:
            raise EmptyBand(field=f"max_{band}" if f"max_{band}" in given else f"min_{band}")
    for name in ("min_balance", "max_balance"):
        bound = getattr(segment, name)
        if bound is None:
            continue
        if not segment.currency_code:
            raise BandWithoutCurrency
        checked = money.check if name in given else money.recheck
        setattr(segment, name, checked(bound, segment.currency_code, field=name))
