"""The look of a debtor's pages: that of the creditor to whom all open debts are owed, if it has one, else the agency's."""

import tomllib
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from agency import profile
from agency.profile import Agency
from collection.models import OPEN
from creditors.models import CreditorLook
from debtors.models import Debtor

_FIELDS = ("name", "address", "phone", "email", "hours", "colour", "logo_version", "licence", "notice")


@dataclass(frozen=True)
class Advice:
    """A free service for people in debt, which is not ours."""

    name: str
    url: str

    @property
    def site(self) -> str:
        return urlsplit(self.url).netloc.removeprefix("www.")


def of(debtor: Debtor | None) -> Agency:
    """Return the values that a debtor's pages show; those of the agency before the sign-in."""
    agency = profile.current()
    look = debtor and _look(debtor)
    if not look:
        return agency
    own = {name: value for name in _FIELDS if (value := getattr(look, name))}
    return replace(agency, **own)


def advice(debtor: Debtor | None) -> Advice | None:
    """Return the free advice of the debtor's country, if we know one."""
    return _advice().get(debtor.country_code or "") if debtor else None


def advices(debtor: Debtor) -> list[Advice]:
    """Return ``advice`` as a list, for answers of the API."""
    found = advice(debtor)
    return [found] if found else []


def _look(debtor: Debtor) -> CreditorLook | None:
    open_debts = debtor.debts.filter(current_status__in=OPEN)
    looks = CreditorLook.objects.defer("logo").filter(creditor__in=open_debts.values("creditor"))
    creditors = open_debts.values_list("creditor", flat=True).distinct()[:2]
    return looks.first() if len(creditors) == 1 else None


@cache
def _advice() -> dict[str, Advice]:
    text = (Path(__file__).parent / "advice.toml").read_text("utf-8")
    return {country: Advice(**values) for country, values in tomllib.loads(text).items()}
