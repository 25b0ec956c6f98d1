"""Opt-outs: by SMS, by a mail's link, by a key in a call, and while a batch is sent."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from communications.callbacks import opens, replies, stop_words
from communications.calls import records
from communications.channels.events import InboundMessage
from communications.links import open_pixel, unsubscribe_link
from communications.models import ANSWERED_BY_PERSON, CONNECTED, CONVERSATIONS, CallOutcome, CommunicationLog
from communications.outbox import outbox
from communications.sending import dispatch, evidence
from debtors import contact_points, debtors
from debtors.channels import Channel
from debtors.models import Consent, ContactPoint, Debtor
from tests import factories
from tests.communications.conftest import NOON
from tests.communications.messages import drain, queue

pytestmark = pytest.mark.django_db

PHONE = "+447700900001"


def sms(body, number="SM1", **values):
    return InboundMessage(
        **{"channel": "sms", "provider": "twilio", "provider_message_id": number, "address": PHONE, "body": body}
        | values
    )


@pytest.mark.parametrize(
    "words",
    ["STOP", "stop.", "«Stop!»", "StopAll", "UNSUBSCRIBE", "cancel", "END", "quit?", "OPTOUT", "opt-out", "Revoke",
     "arrêter", "Abmelden", "baja", "BASTA", "sair", "afmelden", "wypisz", "стоп", "Kündigen"],
)  # fmt: skip
def test_stop_words(words):
    assert stop_words.keyword(words) == "stop"


@pytest.mark.parametrize("words", ["Fine", "I paid at the end of May", "cancel my plan please", "", "Starting Monday"])
def test_other_words(words):
    assert stop_words.keyword(words) is None


def test_stop_is_confirmed_once_in_the_debtors_language(twilio):
    factories.debtor(mobile_phone=PHONE, language_preference="de")
    replies.receive(sms("STOP"), now=NOON)
    replies.receive(sms("stop!", "SM2"), now=NOON + timedelta(seconds=1))

    drain(NOON + timedelta(seconds=2))

    assert [order.fields["To"] for order in twilio.orders] == [PHONE]
    assert twilio.orders[0].fields["Body"].startswith("DDC: Sie erhalten keine SMS mehr")


def test_an_unknown_sender_is_opted_out_and_gets_one_confirmation(twilio):
    for number, words in enumerate(("STOP", "stop", "Unsubscribe")):
        replies.receive(sms(words, f"SM{number}"), now=NOON + timedelta(seconds=number))

    drain(NOON + timedelta(seconds=5))

    assert ContactPoint.objects.get(value=PHONE).suppressions == ["opted out"]
    (order,) = twilio.orders
    assert order.fields["To"] == PHONE
    assert order.fields["Body"].startswith("DDC: you will get no more text messages")
    (confirmation,) = CommunicationLog.objects.filter(direction="outbound")
    assert (confirmation.status, confirmation.debtor, confirmation.in_reply_to, confirmation.address) == (
        "sent",
        None,
        None,
        PHONE,
    )
    assert not list(evidence.differences())


def test_no_other_message_is_queued_without_a_debtor():
    with pytest.raises(TypeError):
        outbox.queue(debtor=None, channel="sms", body="Hello", now=NOON)
    with pytest.raises(IntegrityError), transaction.atomic():
        CommunicationLog.objects.create(communication_type="sms", status="queued", due_at=NOON, address=PHONE)
    assert not CommunicationLog.objects.exists()


def test_an_opt_out_that_twilio_answered_is_not_confirmed_again():
    factories.debtor(mobile_phone=PHONE)
    replies.receive(sms("STOP", opt_out="STOP"), now=NOON)

    assert not CommunicationLog.objects.filter(direction="outbound").exists()
    assert ContactPoint.objects.get(value=PHONE).suppressions == ["opted out"]


def test_start_opts_in_and_an_older_stop_that_arrives_late_is_ignored():
    factories.debtor(mobile_phone=PHONE)
    replies.receive(sms("STOP"), now=NOON)
    replies.receive(sms("START", "SM2"), now=NOON + timedelta(minutes=2))
    assert ContactPoint.objects.get(value=PHONE).suppressions == []

    replies.receive(sms("STOP", "SM3"), now=NOON + timedelta(minutes=1))
    assert ContactPoint.objects.get(value=PHONE).suppressions == []


def test_start_is_a_consent_to_texts_by_who_has_the_number_now():
    former = factories.debtor(mobile_phone=PHONE)
    debtors.amend(former, today=NOON.date(), mobile_phone=None)
    debtor = factories.debtor(mobile_phone=PHONE)
    replies.receive(sms("STOP"), now=NOON)
    replies.receive(sms("START", "SM2"), now=NOON + timedelta(minutes=2))

    consent = Consent.objects.get()
    assert (consent.debtor, consent.channel, consent.address, consent.basis) == (debtor, "sms", PHONE, "reply")
    assert (consent.text, consent.given_at) == ("START", NOON + timedelta(minutes=2))
    assert consent.source.startswith("Message ")


@pytest.mark.parametrize(("words", "is_use"), [("I pay on Friday", True), ("STOP", True), ("Wrong number", False)])
def test_a_text_from_the_debtors_phone_confirms_earlier_consents(words, is_use):
    debtor = factories.debtor(mobile_phone=PHONE)
    consent = factories.consent(debtor, "sms", NOON - timedelta(days=90))
    elsewhere = factories.consent(debtor, "sms", NOON - timedelta(days=90), address="+447400999999")
    replies.receive(sms(words), now=NOON)

    consent.refresh_from_db()
    elsewhere.refresh_from_db()
    assert consent.used_at == (NOON if is_use else None)
    assert elsewhere.used_at is None


def test_a_message_to_a_suppressed_address_is_blocked():
    debt = factories.debt()
    factories.suppress(debt.debtor.mobile_phone, channel="sms")

    log = queue(channel="sms", debt=debt)

    assert (log.status, log.due_at) == ("blocked", None)
    assert log.failure_reason.startswith("suppressed")


def while_the_first_is_handed_over(monkeypatch, happens):
    hand_over = dispatch.hand_over

    def interrupted(*args, **kwargs):
        monkeypatch.setattr(dispatch, "hand_over", hand_over)
        happens()
        return hand_over(*args, **kwargs)

    monkeypatch.setattr(dispatch, "hand_over", interrupted)


def test_an_opt_out_during_a_batch_applies_to_the_rest_of_it(twilio, monkeypatch):
    first, second = queue(channel="sms"), queue(channel="sms")
    while_the_first_is_handed_over(monkeypatch, lambda: factories.suppress(second.debtor.mobile_phone, channel="sms"))

    drain()

    second.refresh_from_db()
    assert second.status == "blocked"
    assert [order.fields["To"] for order in twilio.orders] == [first.debtor.mobile_phone]


def test_without_the_last_check_the_message_would_be_sent(twilio, monkeypatch):
    blind = dispatch.START[Channel.SMS].replace("AND NOT EXISTS", "OR EXISTS")
    monkeypatch.setitem(dispatch.START, Channel.SMS, blind)
    with pytest.raises(AssertionError):
        test_an_opt_out_during_a_batch_applies_to_the_rest_of_it(twilio, monkeypatch)


def test_a_number_that_changed_during_a_batch_gets_nothing(twilio, monkeypatch):
    _, second = queue(channel="sms"), queue(channel="sms")
    old = second.debtor.mobile_phone
    moved = Debtor.objects.filter(pk=second.debtor_id)
    while_the_first_is_handed_over(monkeypatch, lambda: moved.update(mobile_phone="+447700999999"))

    drain()

    assert old not in [order.fields["To"] for order in twilio.orders]
    assert "+447700999999" in [order.fields["To"] for order in twilio.orders]


def test_a_mail_has_an_unsubscribe_link_for_its_own_address(smtp):
    log = queue()
    drain()
    (mail,) = smtp.mails
    url = mail["List-Unsubscribe"].strip().removeprefix("<").removesuffix(">")
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert url in mail.get_body(("plain",)).get_content()
    assert str(log.debtor_id) not in url
    client, path = Client(enforce_csrf_checks=True), url.removeprefix("http://127.0.0.1:8000")

    for method in ("get", "head", "options"):
        assert getattr(client, method)(path).status_code == 200
    assert not ContactPoint.objects.filter(messages_suppressed=True).exists()
    answer = client.post(path, {"List-Unsubscribe": "One-Click"})

    assert answer.status_code == 200
    stopped = ContactPoint.objects.get(messages_suppressed=True)
    assert (stopped.value, stopped.kind, stopped.calls_suppressed) == (log.debtor.email, "email", False)
    assert client.post(path, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert queue(debt=log.debt).status == "blocked"
    assert queue(debt=log.debt, channel="sms").status == "queued"


def test_an_invalid_link_suppresses_nothing(client):
    log = queue()
    good = unsubscribe_link.url(log.pk).split("/")[-1]
    for token in ("x", good[:-2] + "AA", open_pixel.url(log.pk).split("/")[-1][:-4]):
        assert client.post(f"/unsubscribe/{token}").status_code == 404
    assert not ContactPoint.objects.filter(messages_suppressed=True).exists()


def test_each_address_of_a_debtor_becomes_a_contact_point():
    debtor = factories.debtor(email="Old@Example.com", mobile_phone=PHONE)
    debtors.amend(debtor, email="new@example.com", mobile_phone="+447700900002", today=NOON.date())
    Debtor.objects.bulk_create([Debtor(legal_entity="X", email="bulk@example.com")])

    values = set(ContactPoint.objects.values_list("value", flat=True))
    assert values == {"old@example.com", "new@example.com", PHONE, "+447700900002", "bulk@example.com"}


def test_a_suppression_applies_to_the_next_owner_of_the_address():
    debtor = factories.debtor(mobile_phone=PHONE)
    factories.suppress(PHONE, channel="sms")
    debtors.amend(debtor, mobile_phone=None, today=NOON.date())
    factories.debtor(mobile_phone=PHONE)

    assert contact_points.suppressed({Channel.SMS: {PHONE}}) == {(Channel.SMS, PHONE)}
    debtors.delete(debtor)
    assert contact_points.suppressed({Channel.SMS: {PHONE}}) == {(Channel.SMS, PHONE)}


def test_a_reply_is_stored_with_the_message_it_answers():
    log = CommunicationLog.objects.create(
        debtor=factories.debtor(email="john@example.com"), communication_type="email", status="sent", sent_at=NOON,
        address="john@example.com",
    )  # fmt: skip
    mail = InboundMessage("email", "postmark", "m1", "john@example.com", "Yes", references=(f"<{log.pk}@x>",))

    kept = replies.receive(mail, now=NOON)

    assert (kept.in_reply_to, kept.debtor, kept.read_at) == (log, log.debtor, None)
    agent = factories.agent("Agent")
    replies.mark_read(kept, by=agent, now=NOON)
    with pytest.raises(replies.NotUnread):
        replies.mark_read(kept, by=agent, now=NOON)
    kept.refresh_from_db()
    assert (kept.read_at, kept.read_by) == (NOON, agent)


def test_a_text_message_answers_the_newest_message_to_its_number():
    debtor = factories.debtor(mobile_phone=PHONE)
    made = [
        CommunicationLog.objects.create(
            debtor=debtor, communication_type="sms", status="sent", sent_at=NOON + timedelta(hours=n), address=PHONE
        )
        for n in range(2)
    ]
    assert replies.receive(sms("When?"), now=NOON + timedelta(hours=3)).in_reply_to == made[1]


def test_a_wrong_number_suppresses_calls_and_messages_and_withdraws_open_calls():
    debtor = factories.debtor(mobile_phone=PHONE)
    tasks = [
        CommunicationLog.objects.create(
            debtor=debtor, communication_type="call_script", status="sent", sent_at=NOON, begun_at=NOON, address=PHONE
        )
        for _ in range(2)
    ]
    agent = factories.agent("Agent")

    records.finish(tasks[0], outcome="wrong_number", notes="A shop", by=agent, now=NOON)

    tasks[1].refresh_from_db()
    point = ContactPoint.objects.get(value=PHONE)
    assert (point.messages_suppressed, point.calls_suppressed, tasks[1].outcome) == (True, True, "not_called")
    with pytest.raises(records.CallFinished):
        records.finish(tasks[0], outcome="busy", notes=None, by=agent, now=NOON)


def test_every_outcome_is_counted_by_what_it_proves():
    assert set(CallOutcome) - CONNECTED == {"busy", "out_service", "not_called"}
    assert {"no_answer", "voicemail", "answered"} == CONNECTED - ANSWERED_BY_PERSON
    assert {"wrong_number", "third_party"} == ANSWERED_BY_PERSON - CONVERSATIONS
    assert {"right_party", "promise", "refused", "call_back", "no_calls"} == CONVERSATIONS


@pytest.mark.parametrize(
    ("agent", "machine"),
    [
        ("Mozilla/5.0", True),
        ("Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)", False),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/42.0.2311.135 "
            "Safari/537.36 Edge/12.246 Mozilla/5.0",
            True,
        ),
        ("WhatsApp/2.23.20.0 A", True),
        ("Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", True),
        ("Slack-ImgProxy (+https://api.slack.com/robots)", True),
        ("facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", True),
        ("TelegramBot (like TwitterBot)", True),
        ("Iframely/1.3.1 (+https://iframely.com/docs/about)", True),
        ("facebookexternalhit/1.1; kakaotalk-scrap/1.0; +https://devtalk.kakao.com/", True),
        ("kakaotalk-scrap/1.0", True),
        ("axios/1.6.2", True),
        ("Apache-HttpClient/4.5.13 (Java/17.0.1)", True),
        ("Mozilla/5.0 (compatible; Google-Safety; +http://www.google.com/bot.html)", True),
        ("Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5", True),
        ("Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)", True),
        ("LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)", True),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:115.0) Gecko/20100101 Thunderbird/115.3.1", False),
        ("Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17029; Pro)", False),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Mobile/15E148 [FBAN/FBIOS;FBAV/441.0]", False),
        ("YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html", True),
        ("", True),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)", False),
        (
            "Mozilla/5.0 (Linux; Android 9; CUBOT_X18 Build/PPR1) AppleWebKit/537.36 Chrome/80.0 Mobile Safari/537.36",
            False,
        ),
    ],
)
def test_openings_by_machines_are_counted_separately(agent, machine, client):
    log = CommunicationLog.objects.create(debtor=factories.debtor(), communication_type="email", status="sent")
    path = open_pixel.url(log.pk).removeprefix("http://127.0.0.1:8000")
    assert opens.is_machine(agent) == machine

    client.get(path, headers={"User-Agent": agent})

    log.refresh_from_db()
    assert (log.machine_open_count, log.open_count) == ((1, 0) if machine else (0, 1))


def test_open_tracking_can_be_off_where_no_consent_is_needed(settings):
    settings.OPEN_TRACKING = False
    assert not open_pixel.may_track(factories.debtor(country_code="US"))
    assert open_pixel.may_track(factories.debtor(country_code="US", tracking_consent_at=NOON))


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("head", {}),
        ("get", {"Purpose": "prefetch"}),
        ("get", {"Sec-Purpose": "prefetch;prerender"}),
        ("get", {"X-Purpose": "preview"}),
        ("get", {"X-Moz": "prefetch"}),
    ],
)
def test_a_fetch_that_nobody_looks_at_is_recognised_by_its_manner(method, headers, client):
    log = CommunicationLog.objects.create(debtor=factories.debtor(), communication_type="email", status="sent")
    path = open_pixel.url(log.pk).removeprefix("http://127.0.0.1:8000")
    reader = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"

    getattr(client, method)(path, headers={"User-Agent": reader, **headers})

    log.refresh_from_db()
    assert (log.open_count, log.machine_open_count, log.opened_at) == (0, 1, None)
