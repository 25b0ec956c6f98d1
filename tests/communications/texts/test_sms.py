"""The alphabet, the parts and the length of text messages."""

# ruff: noqa: RUF001 - these characters are tested.

import pytest

from communications.texts import composition, sms
from tests import factories
from tests.communications.messages import drain, queue


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("“Pay” – it’s due…", '"Pay" - it\'s due...'),
        ("1\u202f234,50\u00a0€", "1 234,50 €"),
        ("KWD\u00a01,234.500", "KWD 1,234.500"),
        ("Cafe\u0301", "Café"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("Größe ÄÖÜ ñ è é ù ì ò à", "Größe ÄÖÜ ñ è é ù ì ò à"),
        ("tab\there", "tab here"),
    ],
)
def test_typographic_characters_become_plain(typed, sent):
    assert sms.in_cheap_alphabet(typed) == sent
    assert sms.parts(sent).alphabet == "GSM-7"


@pytest.mark.parametrize("typed", ["Zażółć “gęślą”…", "François – “vous”", "مرحبا…", "שלום – “א”", "Hello 😀…", "João"])
def test_a_text_with_letters_of_no_cheap_alphabet_stays_as_it_is(typed):
    assert sms.in_cheap_alphabet(typed) == typed
    assert sms.parts(typed).alphabet == "UCS-2"


@pytest.mark.parametrize(
    ("text", "alphabet", "segments"),
    [
        ("", "GSM-7", 1),
        ("a" * 160, "GSM-7", 1),
        ("a" * 161, "GSM-7", 2),
        ("a" * 306, "GSM-7", 2),
        ("a" * 307, "GSM-7", 3),
        ("€" * 80, "GSM-7", 1),
        ("€" * 81, "GSM-7", 2),
        ("€" * 153, "GSM-7", 3),  # 76 in each part: none is divided.
        ("ж" * 70, "UCS-2", 1),
        ("ж" * 71, "UCS-2", 2),
        ("ж" * 134, "UCS-2", 2),
        ("ж" * 135, "UCS-2", 3),
        ("😀" * 35, "UCS-2", 1),
        ("😀" * 67, "UCS-2", 3),  # 33 in each part.
    ],
)
def test_parts(text, alphabet, segments):
    assert sms.parts(text) == sms.Parts(alphabet, segments)


def test_a_mail_keeps_its_typography():
    assert composition.compose(None, "“Pay”…", {}, channel="email").body == "“Pay”…"


@pytest.mark.django_db
class TestSent:
    def test_a_text_message_is_sent_in_the_cheap_alphabet_and_stored_as_sent(self, twilio):
        template = factories.template(communication_type="sms", body="{{agency_name}}: “{{debt_amount}}” – STOP…")
        log = queue(channel="sms", template=template)
        assert drain().statuses == {"sent": 1}
        log.refresh_from_db()
        assert twilio.orders[0].fields["Body"] == log.body == 'DDC: "£1,000.00" - STOP...'

    def test_a_name_is_not_transliterated(self, twilio):
        debt = factories.debt(debtor=factories.debtor(first_name="Łukasz"))
        template = factories.template(communication_type="sms", body="Hi {{debtor_first_name}}")
        queue(channel="sms", template=template, debt=debt)
        drain()
        assert "Łukasz" in twilio.orders[0].fields["Body"]

    def test_the_preview_has_parts_and_alphabet(self, api):
        factories.template(name="t", communication_type="sms", subject=None, body="“" + "a" * 130)
        factories.template(name="u", communication_type="sms", subject=None, body="ł STOP")
        factories.template(name="v", communication_type="voice", subject=None)
        results = api.post("/communication-templates/process", {}).json()["results"]
        shown = {one["templateName"]: (one["alphabet"], one["segments"]) for one in results}
        # 131 characters, with the agency's name before them and the line about STOP behind.
        assert shown == {"t": ("GSM-7", 2), "u": ("UCS-2", 1), "v": (None, None)}
        assert results[0]["body"] == '"' + "a" * 130
