"""Tags and filters of the portal's templates: icons, and amounts and days in the page's language."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django import template
from django.forms import BoundField
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from portal.pages import legal as legal_texts
from portal.pages import wording

register = template.Library()

#: The contents of each icon on a ground of 24 by 24.
_ICONS: Mapping[str, str] = {
    "back": '<path d="M15 5l-7 7 7 7"/>',
    "card": '<rect x="3" y="5.5" width="18" height="13" rx="2"/><path d="M3 10h18M7 15h4"/>',
    "check": '<circle cx="12" cy="12" r="9"/><path d="M8 12.5l2.7 2.7L16 9.7"/>',
    "clock": '<circle cx="12" cy="12" r="9"/><path d="M12 7v5l3.5 2"/>',
    "globe": '<circle cx="12" cy="12" r="9"/><path d="M3 12h18M12 3c3 3 3 15 0 18M12 3c-3 3-3 15 0 18"/>',
    "heart": '<path d="M12 20s-8-4.600-8-10a4.400 4.400 0 0 1 8-2.600A4.400 4.400 0 0 1 20 10c0 5.400-8 10-8 10z"/>',
    "mail": '<rect x="3" y="5" width="18" height="14" rx="2"/><path d="M3.500 7l8.500 6 8.500-6"/>',
    "next": '<path d="M9 5l7 7-7 7"/>',
    "page": '<path d="M6 3h8l4 4v14H6zM9 11h6M9 15h6"/>',
    "pause": '<circle cx="12" cy="12" r="9"/><path d="M10 9v6M14 9v6"/>',
    "person": '<circle cx="12" cy="8" r="4"/><path d="M4.500 20c1-4 4-5.500 7.500-5.500s6.500 1.500 7.500 5.500"/>',
    "phone": '<rect x="7" y="3" width="10" height="18" rx="2"/><path d="M11 18h2"/>',
    "speech": '<path d="M4 5h16v11H10l-5 4v-4H4z"/>',
    "steps": '<path d="M3 20h5v-5h5v-5h5V5h3"/>',
    "tick": '<path d="M5 12.500l4.500 4.500L19 7.500"/>',
    "time": '<rect x="4" y="5" width="16" height="15" rx="2"/><path d="M4 10h16M8 3v4M16 3v4"/>',
    "warning": '<path d="M12 4l9 16H3zM12 10v4M12 17v.2"/>',
    "wrong": '<circle cx="12" cy="12" r="9"/><path d="M12 7v6M12 16.500v.2"/>',
}


@register.simple_tag
def icon(name: str, classes: str = "") -> SafeString:
    """Draw an icon, which screen readers skip. ``flip`` mirrors it where the script runs from right to left."""
    inside = mark_safe(_ICONS[name])  # noqa: S308 - a constant of this module
    return format_html('<svg viewBox="0 0 24 24" aria-hidden="true" class="{}">{}</svg>', classes, inside)


@register.simple_tag(takes_context=True)
def money(context: Mapping[str, Any], value: Decimal, currency: str) -> SafeString:
    """Write an amount in the page's language, kept together and from left to right."""
    return format_html('<bdi class="num">{}</bdi>', wording.amount(value, currency, context.get("debtor")))


@register.simple_tag(takes_context=True)
def day(context: Mapping[str, Any], value: date | datetime, form: str = "long") -> str:
    """Write a day in the page's language: ``long`` with the weekday, ``short`` without weekday and year, or ``full``."""
    return wording.day(value, context.get("debtor"), form)


@register.simple_tag
def legal(name: str) -> str:
    """Write a legal text, marked if nobody has reviewed it."""
    return legal_texts.text(name)


@register.filter
def target(field: BoundField) -> str:
    """Return the id to which a link in the list of errors leads: that of the field's first input."""
    return f"{field.auto_id}_0" if field.use_fieldset else str(field.auto_id)


@register.filter
def unlocalized(value: Decimal) -> str:
    """Write an amount as HTML's attributes have it."""
    return f"{value:f}"


@register.filter
def spaced(text: str) -> str:
    """Write an IBAN in groups of four."""
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))
