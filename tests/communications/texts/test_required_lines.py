"""What contact law demands in each message that collects: who writes, and how to end such messages."""

# ruff: noqa: RUF001 - these characters are tested.

import re

import pytest

from communications.texts import required_lines
from contact.models import Purpose
from tests import factories
from tests.communications.messages import drain, queue

LINK = "{{unsubscribe_url}}"


@pytest.mark.parametrize(
    ("channel", "body", "whole"),
    [
        ("sms", "Pay.", "{{agency_name}}: Pay.\nReply STOP to get no more texts."),
        ("sms", "{{ agency_name }} asks. Send STOP to end.", "{{ agency_name }} asks. Send STOP to end."),
        ("sms", "DDC: do not stop.", "DDC: do not stop.\nReply STOP to get no more texts."),
        ("voice", "Pay.", "{{agency_name}}: Pay."),
        ("call_script", "Ask for John.", "Ask for John."),
        ("email", f"DDC {LINK}", f"DDC {LINK}"),
        ("email", f"Pay. {LINK}", f"Pay. {LINK}\n\n{{{{agency_name}}}}"),
        ("email", "DDC", f"DDC\n\nTo get no more mail from us at this address: {LINK}"),
        ("email", "Pay.", f"Pay.\n\n{{{{agency_name}}}} – To get no more mail from us at this address: {LINK}"),
        ("email", f"<p>{LINK}</p>", f"<p>{LINK}</p><p>{{{{agency_name}}}}</p>"),
    ],
)
def test_only_what_a_text_lacks_is_added(channel, body, whole):
    assert required_lines.add(body, channel=channel, language="en") == whole


@pytest.mark.parametrize("language", ["ar", "de", "en", "es", "fr", "he", "it", "nl", "pl", "pt", "sv"])
def test_a_text_message_names_stop_in_its_language(language):
    line = required_lines.add("DDC", channel="sms", language=language).split("\n")[1]
    assert "STOP" in line
    assert (line == "Reply STOP to get no more texts.") == (language in ("en", "sv"))


@pytest.mark.django_db
@pytest.mark.parametrize(("channel", "pattern"), [("sms", "^DDC: Hello\nReply STOP"), ("voice", "^DDC: Hello$")])
def test_messages_that_collect_have_them(twilio, channel, pattern):
    log = queue(channel=channel, template=factories.template(communication_type=channel, body="Hello"))
    drain()
    log.refresh_from_db()
    assert re.search(pattern, log.body)


@pytest.mark.django_db
def test_an_answer_to_a_debtors_own_request_has_none(twilio):
    log = queue(channel="sms", purpose=Purpose.CODE, body="Hello", template=None)
    drain()
    log.refresh_from_db()
    assert log.body == "Hello"
