"""Evidence of messages: versions of templates, attempts and seals."""

from datetime import timedelta
from email import message_from_bytes, policy

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from communications.channels import email
from communications.models import CommunicationLog, CommunicationTemplateVersion, MessageAttempt
from communications.outbox import states
from communications.sending import evidence, leases
from communications.texts import templates
from tests import factories
from tests.communications.conftest import NOON
from tests.communications.messages import drain, queue

pytestmark = pytest.mark.django_db


def sql(statements, *values):
    with connection.cursor() as cursor:
        for statement in statements.split("; "):
            cursor.execute(statement, values)


def sent(smtp):
    log = queue()
    assert drain().statuses == {"sent": 1}
    return log


def test_a_changed_template_gets_a_new_version_and_keeps_the_old():
    template = templates.create(name="a", communication_type="sms", body="One")
    templates.amend(template, description="Nothing that is read")
    templates.amend(template, body="Two")

    assert list(template.versions.order_by("number").values_list("number", "body")) == [(1, "One"), (2, "Two")]


def test_a_message_refers_to_the_version_it_was_written_from(smtp):
    first, template = queue(), factories.template()
    drain()
    second = queue(template=template)
    templates.amend(template, body="You owe {{debt_amount}}!")
    drain()

    first.refresh_from_db()
    second.refresh_from_db()
    assert first.template_version.number == 1
    assert (second.template_version.number, second.template_version.body) == (1, "You owe {{debt_amount}}!")
    third = queue(template=template)
    templates.amend(template, body="Pay.")
    drain()
    third.refresh_from_db()
    assert third.template_version.number == 2
    assert third.body.startswith("Pay.")


def test_a_template_that_sql_changed_gets_its_version_at_sending(smtp):
    log = queue()
    drain()
    type(log.template).objects.update(body="Changed by SQL")
    again = queue(template=log.template)

    drain()

    again.refresh_from_db()
    assert again.template_version.number == 2
    assert again.body.startswith("Changed by SQL")


@pytest.mark.owner
def test_versions_attempts_and_decisions_are_written_once(smtp):
    log = sent(smtp)
    for statement in (
        "UPDATE communication_template_version SET body = 'x'",
        "UPDATE message_attempt SET answer = 'x'",
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            sql(statement)
    for statement in ("DELETE FROM message_attempt", "DELETE FROM communication_template_version"):
        with pytest.raises(IntegrityError), transaction.atomic():
            sql(f"UPDATE communication_log SET template_version_id = NULL; {statement}; SET CONSTRAINTS ALL IMMEDIATE")
    assert MessageAttempt.objects.filter(message=log).count() == 1


def test_an_unused_template_is_deleted_with_its_versions():
    template = templates.create(name="a", communication_type="sms", body="One")

    templates.delete(template)

    assert not CommunicationTemplateVersion.objects.exists()


def test_attempts_have_their_times_and_answers(smtp):
    log = queue()
    smtp.answer = lambda mail: "451 4.3.0 later"
    drain()
    smtp.answer = lambda mail: None
    later = NOON + timedelta(seconds=30)
    drain(later)

    first, second = MessageAttempt.objects.filter(message=log).order_by("number")
    assert (first.result, first.answer, first.began_at, first.ended_at) == ("retry", "451 4.3.0 later", NOON, NOON)
    assert (second.number, second.result, second.began_at) == (2, "sent", later)
    assert second.provider_message_id == f"<{log.pk}@localhost>"
    assert not list(evidence.differences())


@pytest.mark.owner
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE communication_log SET body = body || ' '",
        "UPDATE communication_log SET html = replace(html, 'owe', 'OWE')",
        "UPDATE communication_log SET subject = 'Other'",
        "UPDATE communication_log SET address = 'else@example.com'",
        "UPDATE communication_log SET template_version_id = NULL",
        "UPDATE communication_log SET seal = NULL",
        "UPDATE communication_log SET attempts = 2",
        "UPDATE communication_log SET created_at = created_at - interval '1 second'",
        "ALTER TABLE message_attempt DISABLE TRIGGER USER; UPDATE message_attempt SET answer = 'Delivered'",
        "ALTER TABLE message_attempt DISABLE TRIGGER USER; UPDATE message_attempt SET ended_at = ended_at + interval '1 s'",
        "ALTER TABLE message_attempt DISABLE TRIGGER USER; DELETE FROM message_attempt",
    ],
)
def test_a_later_change_is_detected(smtp, change, capsys):
    log = sent(smtp)
    sent(smtp)
    call_command("verify_messages")
    assert "The seals of all 2 messages fit." in capsys.readouterr().out
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    for statement in change.split("; "):
        where = f" WHERE {'message_id' if 'message_attempt' in statement else 'id'} = '{log.pk}'"
        sql(statement if statement.startswith("ALTER") else statement + where)

    with pytest.raises(SystemExit) as end:
        call_command("verify_messages")

    assert end.value.code == 1
    error = capsys.readouterr().err
    assert str(log.pk) in error
    assert "The seals of 1 of 2 messages do not fit." in error


#: Columns that change later, or are copied from the attempts.
UNSEALED = {
    "updated_at", "status", "due_at", "expires_at", "draft", "seal", "provider", "provider_message_id", "failure_reason",
    "sent_at", "delivered_at", "opened_at", "open_count", "machine_opened_at", "machine_open_count", "clicked_at",
    "complained_at", "confirms_opt_out", "proves_address", "in_reply_to_id", "read_at", "read_by_id", "begun_at", "begun_by_id",
    "outcome",
    "outcome_at", "outcome_by_id", "outcome_notes", "request_id", "asks_for",
}  # fmt: skip
OTHER = {
    "UUIDField": "uuidv7()",
    "DateTimeField": "coalesce({0}, now()) + interval '1 microsecond'",
    "PositiveSmallIntegerField": "{0} + 1",
    "BigAutoField": "{0} + 1",
}


def other(model, column):
    """Return another value for a column, in SQL."""
    field = next(field for field in model._meta.concrete_fields if field.attname == column)
    kind = (field.target_field if field.is_relation else field).get_internal_type()
    words = f"left('x' || coalesce({{0}}, ''), {field.max_length or 10_000})"
    return OTHER.get(kind, words).format(column)


def test_each_column_is_sealed_or_left_out_on_purpose():
    columns = {field.attname for field in CommunicationLog._meta.concrete_fields}
    assert columns - set(evidence.SEALED_FIELDS) == UNSEALED
    assert {f.attname for f in MessageAttempt._meta.concrete_fields} - set(evidence.SEALED_ATTEMPT_FIELDS) == {
        "id",
        "message_id",
    }


@pytest.mark.owner
def test_a_change_of_each_sealed_column_is_detected(smtp):
    log = sent(smtp)
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    for table in ("message_attempt", "communication_log"):
        sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")  # whoever has the database may do that
    sql("SET CONSTRAINTS ALL DEFERRED")
    for model, key, columns in (
        (CommunicationLog, "id", evidence.SEALED_FIELDS),
        (MessageAttempt, "message_id", evidence.SEALED_ATTEMPT_FIELDS),
    ):
        for column in columns:
            with transaction.atomic():
                sql(f"UPDATE {model._meta.db_table} SET {column} = {other(model, column)} WHERE {key} = %s", log.pk)
                found = list(evidence.differences())
                transaction.set_rollback(True)
            assert len(found) == 1, f"{model.__name__}.{column}"
    assert not list(evidence.differences())


def test_events_leave_the_seal_valid(smtp):
    log = sent(smtp)

    for event in states.Event:
        states.advance(log, event, now=NOON)

    assert not list(evidence.differences())


def test_an_uncertain_message_is_sealed_too(smtp):
    log = sent(smtp)
    sql("UPDATE communication_log SET status = 'sending', due_at = %s WHERE id = %s", NOON, log.pk)

    assert leases.expire(now=NOON) == 1

    assert not list(evidence.differences())
    assert MessageAttempt.objects.filter(message=log).count() == 2


def test_old_seals_stay_valid_after_a_change_of_keys(smtp, settings):
    old, new = "o" * 32, "n" * 32
    settings.EVIDENCE_KEYS = [old]
    first = sent(smtp)
    settings.EVIDENCE_KEYS = [new, old]
    second = sent(smtp)

    assert not list(evidence.differences())
    settings.EVIDENCE_KEYS = [new]
    ((message_id, problem),) = evidence.differences()
    assert message_id == first.pk
    assert "is not among EVIDENCE_KEYS" in problem
    settings.EVIDENCE_KEYS = ["x" * 32]
    assert {message_id for message_id, _ in evidence.differences()} == {first.pk, second.pk}


def test_without_keys_a_seal_stays_valid_after_a_change_of_the_secret_key(smtp, settings):
    sent(smtp)

    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = (
        "another secret key, as long as it needs",
        [settings.SECRET_KEY],
    )

    assert not list(evidence.differences())


def test_the_file_of_a_message_contains_the_sent_mail(smtp):
    log = sent(smtp)
    log.refresh_from_db()

    file = message_from_bytes(email.as_file(log), policy=policy.default)

    (mail,) = smtp.mails
    for name in ("Message-ID", "From", "To", "Subject"):
        assert file[name] == mail[name]
    for kind in ("plain", "html"):
        assert file.get_body((kind,)).get_content() == mail.get_body((kind,)).get_content()
    assert file["Date"].datetime == NOON
    assert file["X-Seal"].strip() == log.seal


def test_the_file_of_a_text_message_contains_its_text(twilio):
    log = queue(channel="sms")
    drain()
    log.refresh_from_db()

    file = message_from_bytes(email.as_file(log), policy=policy.default)

    assert file["Subject"] == f"Text message to {log.address}"
    assert file.get_content().replace("\r\n", "\n").strip() == log.body


def test_a_message_that_was_never_handed_over_needs_no_seal():
    queue()

    assert not list(evidence.differences())
    assert evidence.sealed().count() == 0
    assert CommunicationLog.objects.count() == 1
