"""Legal texts of the pages. Each is marked "not reviewed" until a person has reviewed it in the page's language.

``locale/reviewed.toml`` names the reviewer of each text by its fingerprint, so a text that changes is marked again.
"""

import hashlib
import tomllib
from functools import cache
from pathlib import Path

from django.conf import settings
from django.utils import translation
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

TEXTS = {
    "purpose": pgettext_lazy(
        "legal", "We collect debts for others. What you tell us here we use for your account only."
    ),
    "settlement": pgettext_lazy("legal", "When you have paid this in time, you need not pay the rest."),
    "missed": pgettext_lazy("legal", "If you miss a payment, the plan may end. Tell us before, and we find a way."),
    "interest_runs": pgettext_lazy("legal", "Interest goes on until all is paid."),
    "interest_rests": pgettext_lazy("legal", "No new interest comes while you keep to the plan."),
}


def text(name: str) -> str:
    """Return a legal text as HTML, with a mark if nobody has reviewed it in the page's language."""
    words = str(TEXTS[name])
    if is_reviewed(words, translation.get_language() or settings.LANGUAGE_CODE):
        return format_html("{}", words)
    return format_html("{} <small>({})</small>", words, _("not reviewed"))


def is_reviewed(words: str, language: str) -> bool:
    """Return whether a person has reviewed these words in a language."""
    return fingerprint(words) in reviews().get(language, {})


def fingerprint(words: str) -> str:
    """Return the name of a text in the list of reviews."""
    return hashlib.sha256(words.encode()).hexdigest()[:12]


@cache
def reviews() -> dict[str, dict[str, str]]:
    """Return the reviews by language: the reviewer by fingerprint."""
    return tomllib.loads((Path(settings.BASE_DIR) / "locale" / "reviewed.toml").read_text("utf-8"))
