"""A message in one language: its values, its HTML part and its last line."""

from datetime import date
from decimal import Decimal

import pytest

from communications.texts import formats
from tests import factories
from tests.communications.messages import drain, queue

pytestmark = pytest.mark.django_db


def sent(body, *, speaks, **variants):
    """Send a mail to a debtor who speaks a language, from a template in English and these variants."""
    english = factories.template(name="t", body=body)
    for language, text in variants.items():
        factories.template(name="t", language=language, body=text)
    debtor = factories.debtor(language_preference=speaks)
    log = queue(template=english, debt=factories.debt(debtor=debtor, due_date=date(2026, 12, 1), balance=1234))
    assert drain().statuses == {"sent": 1}
    log.refresh_from_db()
    return log


@pytest.mark.parametrize("speaks", ["fa", "ar", "de", "ja"])
def test_an_english_text_has_english_values_whatever_the_debtor_speaks(smtp, speaks):
    log = sent("Pay {{debt_amount}} by {{debt_due_date}}.", speaks=speaks)
    assert "Pay £1,234.00 by Dec 1, 2026." in log.body
    assert '<html lang="en" dir="ltr">' in log.html
    assert "To get no more mail from us at this address" in log.body


def test_the_variants_language_formats_the_values(smtp):
    log = sent("x", speaks="de", de="Zahlen Sie {{debt_amount}} bis {{debt_due_date}}.")
    assert "Zahlen Sie 1.234,00\u00a0£ bis 01.12.2026." in log.body
    assert '<html lang="de" dir="ltr">' in log.html


@pytest.mark.parametrize(
    ("language", "line"),
    [("ar", "لإيقاف رسائل البريد الإلكتروني"), ("he", "להפסקת קבלת דואר אלקטרוני")],
)
@pytest.mark.parametrize("body", ["{{debt_amount}}", "<p>{{debt_amount}}</p>"])
def test_a_text_from_right_to_left(smtp, language, line, body):
    log = sent("x", speaks=language, **{language: body})
    assert f'<html lang="{language}" dir="rtl">' in log.html
    amount = formats.amount(Decimal(1234), "GBP", language=language)
    assert amount[0] + amount[-1] == "\u2068\u2069"
    assert amount in log.html.replace("&nbsp;", "\u00a0")
    assert amount in log.body
    assert line in log.body
    assert line in log.html


@pytest.mark.parametrize(
    ("language", "preferred", "used"),
    [
        ("de", "de-AT", "de-AT"), ("de", "DE-at", "DE-at"), ("de", "fr-CH", "de"), ("en", None, "en"),
        ("pt-BR", "pt-PT", "pt-BR"),        ("zh", "zh-Hant", "zh"), ("en", "fa", "en"), ("es", "es-419", "es-419"),
    ],
)  # fmt: skip
def test_the_debtors_region_counts_only_in_the_same_language(language, preferred, used):
    assert formats.regional(language, preferred=preferred) == used
