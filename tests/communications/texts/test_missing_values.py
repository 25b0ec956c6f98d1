"""A placeholder without a value stops its message, unless the template gives words for it."""

import pytest

from communications.models import CommunicationLog, CommunicationTemplate
from communications.texts import composition, placeholders
from communications.texts.placeholders import BadPlaceholder
from tests import factories
from tests.communications.messages import drain, queue, words

PROCESS = "/communication-templates/process"
DUE = "Due on {{debt_due_date}}."
DUE_OR_WORDS = 'Due on {{debt_due_date|"as agreed"}}.'


@pytest.mark.parametrize(
    "text",
    [
        '{{debt_due_date|"as agreed"}}',
        '{{ debt_due_date | "as agreed" }}',
        '{{debt_due_date|"<b>&\'é|"}}',
        '{{today|""}}',
    ],
)
def test_words_for_a_missing_value_are_valid(text):
    placeholders.check(text, field="body")


@pytest.mark.parametrize(
    "text",
    [
        "{{debt_due_date|as agreed}}",
        "{{debt_due_date|'as agreed'}}",
        "{{debt_due_date|“as agreed”}}",
        '{{debt_due_date|"a"b"}}',
        '{{debt_due_date|"a"|"b"}}',
        "{{debt_due_date|upper}}",
        '{{debt_due_date|"{{today}}"}}',
        '{{debt_due_date|"{"}}',
        '{{debt_due_date|"a\nb"}}',
        '{{debt_due_date|"open}}',
        '{{|"words"}}',
        '{{nope|"words"}}',
        '{{debt_due_date "a"}}',
        "{{debt_due_date|}}",
        '{{debt_due_date|"a" upper}}',
    ],
)
def test_any_other_filter_is_refused(text):
    with pytest.raises(BadPlaceholder) as refusal:
        placeholders.check(text, field="body")
    assert (refusal.value.status, refusal.value.field) == (422, "body")


def test_words_replace_only_a_missing_value():
    assert placeholders.render(DUE_OR_WORDS, {"debt_due_date": "1 May"}) == "Due on 1 May."
    assert placeholders.render(DUE_OR_WORDS, {"debt_due_date": " "}) == "Due on as agreed."
    assert placeholders.render(DUE_OR_WORDS, {}) == "Due on as agreed."


def test_words_are_plain_text():
    body = """<p>{{debtor_first_name|"<img src=x onerror='x()'>"}} {{debtor_last_name|"A & B"}}</p>"""
    text = composition.compose(None, body, {}, channel="email")
    assert "<img" not in text.html
    assert "A &amp; B" in text.html
    assert text.body == "<img src=x onerror='x()'> A & B"


def test_the_missing_ones_are_named_once_and_in_order():
    text = 'A {{today}} {{debt_reference}} {{debt_due_date|"x"}} {{debtor_email}} {{debt_reference}}'
    assert placeholders.missing({"debtor_email": "a@b.example"}, None, text) == ["today", "debt_reference"]


@pytest.mark.django_db
class TestAtSending:
    @pytest.mark.parametrize("channel", ["email", "sms", "voice", "call_script"])
    def test_a_missing_value_stops_the_message_on_every_channel(self, smtp, twilio, channel):
        log = queue(channel=channel, template=factories.template(communication_type=channel, subject="s", body=DUE))

        assert drain().statuses == {"failed": 1}

        log.refresh_from_db()
        assert (log.status, log.attempts, log.body) == ("failed", 0, None)
        assert log.failure_reason.startswith("missing_value: The text has no value for debt_due_date.")
        assert not smtp.mails
        assert not twilio.orders

    def test_a_value_missing_in_the_subject_stops_it_too(self, smtp):
        log = queue(template=factories.template(subject="Due on {{debt_due_date}}", body="Hello"))
        assert drain().statuses == {"failed": 1}
        log.refresh_from_db()
        assert "debt_due_date" in log.failure_reason

    def test_words_let_it_go(self, smtp):
        log = queue(template=factories.template(body=DUE_OR_WORDS))
        assert drain().statuses == {"sent": 1}
        log.refresh_from_db()
        assert words(log.body).startswith("Due on as agreed.")

    def test_the_others_of_its_batch_go(self, smtp):
        queue(template=factories.template(body=DUE))
        queue(template=factories.template(body="Hello"))
        assert drain().statuses == {"failed": 1, "sent": 1}

    def test_a_one_time_code_is_no_value_of_other_messages(self, twilio):
        queue(channel="sms", template=factories.template(communication_type="sms", body="Code {{otp_code}}"))
        assert drain().statuses == {"failed": 1}
        assert not twilio.orders


@pytest.mark.django_db
class TestProcess:
    def process(self, api, debt, **values):
        ids = {"debtor_id": str(debt.debtor_id), "debt_id": str(debt.pk)}
        (result,) = api.post(PROCESS, {"template_name": "t"} | ids | values).json()["results"]
        return result

    def test_a_rendered_text_leaves_it_empty_and_names_it(self, at_noon, api):
        factories.template(name="t", body=DUE)
        result = self.process(api, factories.debt())
        assert (result["status"], result["body"], result["communicationLogId"]) == ("rendered", "Due on .", None)
        assert "debt_due_date" in result["reason"]
        assert not CommunicationLog.objects.exists()

    def test_one_that_is_to_be_sent_fails_with_the_reason(self, at_noon, api):
        factories.template(name="t", body=DUE)
        result = self.process(api, factories.debt(), send=True)
        assert result["status"] == "failed"
        assert result["reason"].startswith("missing_value: The text has no value for debt_due_date.")
        log = api.get(f"/communication-logs/{result['communicationLogId']}").json()
        assert (log["status"], log["failureReason"]) == ("failed", result["reason"])
        assert drain().statuses == {}

    def test_with_words_it_is_queued(self, at_noon, api):
        factories.template(name="t", body=DUE_OR_WORDS)
        result = self.process(api, factories.debt(), send=True)
        assert (result["status"], result["reason"], result["body"]) == ("queued", None, "Due on as agreed.")

    def test_the_examples_lack_nothing(self, api):
        factories.template(name="t", body=" ".join(f"{{{{{name}}}}}" for name in sorted(placeholders.NAMES)))
        (result,) = api.post(PROCESS, {"template_name": "t"}).json()["results"]
        assert result["reason"] is None

    def test_a_wrong_filter_is_refused_when_the_template_is_saved(self, api):
        body = {"name": "t", "communicationType": "sms", "body": "{{debt_due_date|upper}}"}
        answer = api.post("/communication-templates", body)
        (error,) = answer.json()["errors"]
        assert (answer.status_code, error["field"], error["rule"]) == (422, "body", "placeholder")
        assert "{{debt_due_date|upper}}" in error["message"]
        assert not CommunicationTemplate.objects.exists()
        assert api.post("/communication-templates", body | {"body": DUE_OR_WORDS}).status_code == 201
