"""Lengths that channels refuse: at saving with long values, and before the hand-over."""

import pytest

from communications.models import CommunicationTemplate
from tests import factories
from tests.communications.messages import drain, queue

pytestmark = pytest.mark.django_db
PATH = "/communication-templates"


def save(api, channel, body, **values):
    return api.post(PATH, {"name": "t", "communicationType": channel, "subject": "s", "body": body} | values)


@pytest.mark.parametrize(
    ("channel", "body", "status"),
    [
        ("sms", "x" * 2_000, 422),
        ("sms", "x" * 1_500, 201),
        ("sms", "DDC STOP " + "x" * 1_591, 201),
        ("sms", "DDC STOP " + "x" * 1_592, 422),
        ("sms", "DDC STOP " + "😀" * 797, 422),  # Each counts twice.
        ("sms", "DDC STOP " + "…" * 600, 422),  # Each becomes three dots.
        ("sms", "{{original_creditor}}" * 20, 422),
        ("sms", "{{debt_currency}}" * 20, 201),
        ("voice", "x" * 3_001, 422),
        ("voice", "ж" * 1_501, 422),
        ("voice", "x" * 2_900, 201),
        ("call_script", "x" * 5_000, 201),
        ("email", "x" * 5_000, 201),
    ],
)
def test_a_body_that_its_channel_refuses_is_not_saved(api, channel, body, status):
    answer = save(api, channel, body)
    assert answer.status_code == status, answer.content
    assert CommunicationTemplate.objects.exists() == (status == 201)
    if status == 422:
        assert [(error["field"], error["rule"]) for error in answer.json()["errors"]] == [("body", "maxLength")]


def test_a_subject_that_no_mail_takes_is_not_saved(api):
    answer = save(api, "email", "x", subject="{{debtor_full_name}}" * 12)
    assert answer.status_code == 201
    answer = save(api, "email", "x", name="u", subject="{{unsubscribe_url}}" * 13)
    assert [(error["field"], error["rule"]) for error in answer.json()["errors"]] == [("subject", "maxLength")]


def test_a_change_is_checked_too(api):
    made = save(api, "email", "x" * 2_000).json()
    answer = api.put(f"{PATH}/{made['id']}", {"communicationType": "sms"})
    assert (answer.status_code, answer.json()["errors"][0]["rule"]) == (422, "maxLength")


def test_a_link_to_end_mail_is_for_mail_only(api):
    answer = save(api, "sms", "End: {{unsubscribe_url}}")
    assert [(error["field"], error["rule"]) for error in answer.json()["errors"]] == [("body", "placeholder")]
    assert save(api, "email", "End: {{unsubscribe_url}}").status_code == 201


@pytest.mark.parametrize(("channel", "length"), [("sms", 1_600), ("voice", 3_000)])
def test_a_text_that_grows_too_long_fails_before_the_hand_over(twilio, channel, length):
    template = factories.template(communication_type=channel, subject=None, body="DDC STOP {{original_creditor}}" * 20)
    short = queue(channel=channel, template=template, debt=factories.debt(original_creditor="x"))
    long = queue(channel=channel, template=template, debt=factories.debt(original_creditor="x" * 255))

    assert drain().statuses == {"sent": 1, "failed": 1}

    short.refresh_from_db()
    long.refresh_from_db()
    assert (short.status, long.status, long.attempts) == ("sent", "failed", 0)
    assert long.failure_reason.startswith("too_long: The text has 5,")
    assert f"{length:,}" in long.failure_reason
    assert len(twilio.orders) == 1
