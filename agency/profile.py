"""The agency's name, contact details, time zone and look: what the back office set, else what the environment gives.

Everything that shows or uses one of these values asks ``current``.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings
from django.db import DatabaseError, transaction
from django.urls import reverse

from agency.models import AgencyProfile

#: Seconds until a process sees a change that another one made. Measured: a query takes 0.37 ms, the remembered values 0.009 ms,
#: and a whole GET /portal 3.2 ms; one request asks up to a dozen times.
CACHE_SECONDS = 5
_COLUMNS = ("name", "address", "phone", "email", "time_zone", "colour", "logo_version", "hours", "licence", "notice")
#: What the row says, and the time until which it is used.
_remembered: tuple[Mapping[str, str], float] = ({}, 0.0)


@dataclass(frozen=True)
class Agency:
    """The agency's values. ``colour`` and ``logo_version`` may be empty: the theme's colour, and no logo."""

    name: str
    address: str
    phone: str
    email: str
    time_zone: str
    colour: str
    logo_version: str
    hours: str
    licence: str
    notice: str

    @property
    def style_url(self) -> str:
        """The address of the style sheet that puts the colour in place of the theme's."""
        return reverse("agency-colours", args=[self.colour.lstrip("#") or "default"])

    @property
    def logo_url(self) -> str:
        """The address of the logo, empty without one; another image has another address."""
        return reverse("agency-logo", args=[self.logo_version]) if self.logo_version else ""


def current(*, without_query: bool = False) -> Agency:
    """Return the agency's values.

    :param without_query: use what this process knows, for pages that are shown while the database is down
    """
    stored = _remembered[0] if without_query else _stored()
    return Agency(**{name: stored.get(name) or _of_environment(name) for name in _COLUMNS})


def of_environment() -> Mapping[str, str]:
    """Return the values that hold where the back office set none."""
    return {name: _of_environment(name) for name in _COLUMNS}


def change(values: Mapping[str, object]) -> None:
    """Store values of the row, by the names of its fields; an empty text brings the environment's back."""
    AgencyProfile.objects.update_or_create(pk=1, defaults=dict(values))
    transaction.on_commit(forget)
    forget()


def forget() -> None:
    """Read the row at the next question."""
    global _remembered
    _remembered = ({}, 0.0)


def remember(stored: Mapping[str, str], *, seconds: float = CACHE_SECONDS) -> None:
    """Use these values of the row for some seconds."""
    global _remembered
    _remembered = (stored, time.monotonic() + seconds)


def _stored() -> Mapping[str, str]:
    stored, until = _remembered
    if time.monotonic() > until:
        try:
            stored = AgencyProfile.objects.values(*_COLUMNS).first() or {}
        except DatabaseError:
            return stored  # The caller's own query reports it.
        remember(stored)
    return stored


def _of_environment(name: str) -> str:
    return str(getattr(settings, f"AGENCY_{name.upper()}", ""))
