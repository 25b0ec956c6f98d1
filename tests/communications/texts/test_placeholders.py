"""Placeholders of templates: their check, their values, and the finished text."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from collection.balances import ledger
from collection.models import LedgerEntry
from communications.texts import composition, facts, formats, placeholders
from communications.texts.placeholders import BadPlaceholder
from tests import factories

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
TODAY = NOW.date()


@pytest.mark.parametrize(
    "text",
    ["plain", "{{debtor_first_name}}", "{{  debt_amount }}", "{ single } }} stray", "{{today}}}}", "{{otp_code}}"],
)
def test_valid_texts_pass(text):
    placeholders.check(text, field="body")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("{{nope}}", "{{nope}}"),
        ("{{ Debt_Amount }}", "{{Debt_Amount}}"),
        ("{{debtorFirstName}}", "{{debtorFirstName}}"),
        ("{{debtor.delete}}", "{{debtor.delete}}"),
        ("{{ debt_amount | upper }}", "{{ debt_amount | upper }}"),
        ("{{}}", "{{}}"),
        ("{{ }}", "{{ }}"),
        ("{{{debt_amount}}}", "{{{debt_amount}}"),
        ("Dear {{ you", "{{ you"),
        ("{{debt_amount", "{{debt_amount"),
        ("{{ {{debt_amount}} }}", "{{ {{debt_amount}}"),
    ],
)
def test_an_invalid_placeholder_is_named(text, named):
    with pytest.raises(BadPlaceholder) as refusal:
        placeholders.check(text, field="body")

    assert named in refusal.value.message
    assert (refusal.value.status, refusal.value.field) == (422, "body")


def test_a_value_is_never_scanned_again():
    values = {"debtor_first_name": "{{debtor_", "debtor_last_name": "email}}", "debtor_email": "x"}

    text = placeholders.render("{{debtor_first_name}}{{debtor_last_name}}", values)

    assert text == "{{debtor_email}}"


def test_values_are_escaped_only_in_html():
    values = {"debtor_first_name": "<b>&"}

    text = composition.compose("{{debtor_first_name}}", "Dear {{debtor_first_name}}\n\nBye", values, channel="email")

    assert (text.subject, text.body) == ("<b>&", "Dear <b>&\n\nBye")
    assert "<p>Dear &lt;b&gt;&amp;</p><p>Bye</p>" in text.html


def test_a_body_with_markup_is_html_and_its_plain_part_is_made_from_it():
    body = '<p>Dear {{debtor_first_name}},</p><script>x()</script><p onclick="x()">see <a href="https://a.example/?a=1&amp;b=2">here</a></p>'

    text = composition.compose("s", body, {"debtor_first_name": "<img src=x onerror=x()>"}, channel="email")

    assert "&lt;img" in text.html
    assert "script" not in text.html
    assert "onclick" not in text.html
    assert text.body == "Dear <img src=x onerror=x()>,\n\nsee here (https://a.example/?a=1&b=2)"


def test_only_our_own_and_attached_images_stay(settings):
    settings.PUBLIC_URL = "https://ddc.example"
    sources = ("https://ddc.example/logo.png", "cid:logo")
    remote = (
        "https://ddc.example.evil.example/x.png",
        "//evil.example/x.png",
        "/x.png",
        "HTTP://evil.example/x",
        "data:,x",
    )
    body = "".join(f'<img src="{source}">' for source in (*sources, *remote))

    text = composition.compose("s", f"<p>{body}</p>", {}, channel="email")

    assert text.html.count("src=") == 2
    assert all(f'src="{source}"' in text.html for source in sources)


def test_links_in_a_plain_mail_become_anchors():
    text = composition.compose(
        "s", "Go to {{portal_url}}.", {"portal_url": "https://a.example/x?a=1&b=2"}, channel="email"
    )

    assert '<a href="https://a.example/x?a=1&amp;b=2' in text.html


@pytest.mark.parametrize(
    ("currency", "language", "written"),
    [
        ("GBP", "en", "£1,234.50"),
        ("GBP", "de", "1.234,50\xa0£"),
        ("JPY", "en", "¥1,234"),
        ("KWD", "en", "KWD\xa01,234.500"),
        ("IQD", "en", "IQD\xa01,234.500"),
        ("EUR", "fr-FR", "1\u202f234,50\xa0€"),
        ("USD", None, "$1,234.50"),
        ("USD", "xx", "$1,234.50"),
    ],
)
def test_amounts_are_written_in_the_language_with_the_currencys_own_decimals(currency, language, written):
    value = Decimal("1234") if currency == "JPY" else Decimal("1234.5")

    assert formats.amount(value, currency, language=language) == written


def test_the_catalogue_has_the_placeholders_of_the_contract():
    promised = """debtor_first_name debtor_last_name debtor_full_name debtor_legal_entity debtor_email debt_amount
        debt_original_amount debt_currency debt_reference debt_due_date debt_placement_date days_since_placement
        original_creditor total_outstanding last_payment_amount last_payment_date agency_name agency_address agency_phone
        agency_email portal_url today"""

    assert set(promised.split()) <= placeholders.NAMES


@pytest.mark.django_db
class TestFacts:
    def test_every_placeholder_has_a_value(self, settings):
        settings.AGENCY_ADDRESS, settings.AGENCY_PHONE = "1 Street", "+44"
        debtor = factories.debtor(legal_entity="ABC Ltd", language_preference="de")
        debt = factories.debt(debtor=debtor, due_date=date(2026, 2, 1), external_reference="R1", balance=100)
        ledger.post(
            ledger.lock_debt(debt.pk), kind=LedgerEntry.Kind.PAYMENT, amount=Decimal("-40"), value_date=TODAY, by=None,
            cause={}, payment_id=debt.pk,
        )  # fmt: skip
        debt.refresh_from_db()

        (values,) = facts.gather([facts.Recipient(debtor, debt, "de")], now=NOW)

        assert values.keys() == placeholders.NAMES
        # Those of an arrangement have a test of their own (test_arrangement_notices).
        of_plan = {"next_instalment_amount", "next_instalment_date", "plan_table"}
        assert all(value for name, value in values.items() if name not in of_plan)
        assert values["debt_amount"] == values["total_outstanding"] == "60,00\xa0£"
        assert (values["last_payment_amount"], values["last_payment_date"]) == ("40,00\xa0£", "31.01.2026")
        assert (values["debt_due_date"], values["days_since_placement"]) == ("01.02.2026", "30")

    def test_an_unknown_value_is_empty(self):
        (values,) = facts.gather([facts.Recipient(factories.debtor(legal_entity=None), None, "en")], now=NOW)

        written = placeholders.render(
            "[{{debt_amount}}{{debt_due_date}}{{debtor_legal_entity}}{{last_payment_date}}]", values
        )
        assert written == "[]"

    def test_many_pairs_cost_no_more_queries_than_one(self, django_assert_max_num_queries):
        recipients = [facts.Recipient(debt.debtor, debt, "en") for debt in (factories.debt() for _ in range(5))]

        with django_assert_max_num_queries(4):
            assert len(facts.gather(recipients, now=NOW)) == 5
