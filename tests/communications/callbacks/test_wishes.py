"""What people write to be left alone, as they write it."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest

from communications.callbacks import delivery_events, quotes, replies, stop_words
from communications.callbacks.readers import mail_events
from communications.channels.events import DeliveryEvent, InboundMessage
from communications.models import CommunicationLog
from communications.models import InboundMessage as InboundRow
from communications.outbox.states import Event
from debtors import contact_points
from debtors.models import ContactPoint, SuppressionReason
from tests import factories
from tests.communications.conftest import NOON
from tests.communications.messages import drain, queue

pytestmark = pytest.mark.django_db

PHONE, EMAIL = "+447700900001", "ann@example.com"


def sms(body: str, number: str = "SM1", **values: Any) -> InboundMessage:
    return InboundMessage(
        **{
            "channel": "sms",
            "provider": "twilio",
            "provider_message_id": number,
            "address": PHONE,
            "body": body,
            **values,
        }
    )


def mail(body: str, **values: Any) -> InboundMessage:
    return sms(body, **{"channel": "email", "provider": "postmark", "address": EMAIL, **values})


def point(value: str = PHONE) -> ContactPoint:
    return ContactPoint.objects.get(value=value)


def receive(message: InboundMessage) -> CommunicationLog:
    received = replies.receive(message, now=NOON)
    assert received
    received.refresh_from_db()
    return received


SENTENCES = [
    "please stop sending me e-mails", "Please stop textng me", "Hi, could you take me off your list? Thanks",
    "I don't want any more of these, remove me", "DO NOT CONTACT ME AGAIN", "dont text me", "No more messages please!",
    "Please STOP", "stop please", "Stpo", "unsubscrbe",
    "Leave me alone",
    "Bitte schreiben Sie mir nicht mehr", "Bitte keine SMS mehr!", "Melden Sie mich bitte ab",
    "Ich möchte mich abmelden", "Hören Sie auf damit",
    "Ne m'envoyez plus de messages", "Je ne veux plus recevoir vos SMS", "Arrêtez de m'écrire", "Laissez-moi tranquille",
    "No me escriban más", "Quiero darme de baja", "Dejen de enviarme mensajes", "No quiero recibir más SMS",
    "Non scrivetemi più", "Non voglio più ricevere messaggi", "Smettete di scrivermi", "Basta messaggi!",
    "Não me enviem mais mensagens", "Não quero receber mais SMS", "Parem de me escrever", "Deixem-me em paz",
    "Stuur me geen berichten meer", "Laat me met rust", "Schrijf me uit aub", "Wil me afmelden",
    "Proszę nie pisać do mnie", "Nie chcę otrzymywać wiadomości", "Proszę przestać", "Nie dzwońcie więcej",
    "لا ترسلوا لي رسائل", "توقفوا عن إرسال الرسائل", "أريد إلغاء الاشتراك", "لا تتصلوا بي", "توقّف",
    "אל תשלחו לי הודעות", "תפסיקו לשלוח לי", "הסירו אותי מהרשימה",
    "Take me of your list", "I told you to stop", "I asked you to stop", "don't want these texts", "Get my number off your list",
    "Bitte keine sms mer", "Abmeldung", "Bitte rufen Sie mich nicht mehr an", "Tragen Sie mich bitte aus",
    "Nich mehr schreiben bitte",
    "Ich möchte nichts mehr von Ihnen bekommen", "Désabonnement", "Je ne veux plus être contacté", "arettez de m'écrire",
    "Supprimez-moi de votre liste", "No quiero mas mensajes", "Por favor cancelar mi suscripción", "dejenm en paz",
    "Me tire da lista", "Cancelar inscrição", "Por favor não enviem mais mensagens", "Non voglio essere contattato", "bsta sms",
    "Graag geen contact meer", "Bel me niet meer", "Haal mij van uw lijst", "Nie chcę więcej SMS", "Rezygnuję z wiadomości",
    "Usuńcie mnie z listy", "Nie chcę dostawać wiadomości", "قف", "ايقاف", "الرجاء عدم ارسال الرسائل", "يرجى التوقف عن مراسلتي",
    "די להודעות", "תפסיקו",
]  # fmt: skip


@pytest.mark.parametrize("text", SENTENCES)
def test_a_sentence_that_asks_for_no_more_is_a_stop(text: str) -> None:
    wish = stop_words.read(text)

    assert (wish.stop, wish.doubtful, wish.wrong_person) == (True, False, False)


@pytest.mark.parametrize(
    "text",
    [
        "Stop by on Friday and I'll pay you",
        "I paid yesterday. Stop.",
        "I have paid, STOP it",
        "Stop, who are you?",
        "Cancel. I paid",
    ],
)
def test_a_doubtful_stop_is_obeyed_and_shown_to_an_agent(text: str) -> None:
    received = receive(sms(text))

    assert received.asks_for == "doubtful"
    assert InboundRow.objects.filter(pk=received.pk, read_at=None).exists()
    assert point().suppressions == ["opted out"]


@pytest.mark.parametrize(
    "text",
    ["Fine", "I paid at the end of May", "cancel my plan please", "", "Starting Monday", "Ich zahle nächste Woche",
     "Je paie lundi",
     "Can I pay in parts?", "I can stop by tomorrow", "When is the end date?", "step", "top", "سأدفع غدا", "What is my number?",
     "Please take my payment off the balance", "Can you take my call?", "Ich kann nicht mehr zahlen", "Basta de intereses?",
     "No quiero que me cobren intereses", "Ik kan niet meer betalen", "Stuur me de rekening", "Nie mogę więcej zapłacić",
     "Non posso pagare di più", "لا أستطيع الدفع الآن"],
)  # fmt: skip
def test_other_texts_ask_for_nothing(text: str) -> None:
    assert stop_words.read(text) == stop_words.Wish()


WRONG = [
    "Wrong number", "wrong person, this isn't Ann", "You have the wrong person", "No one by that name here",
    "Falsche Nummer!",
    "Vous vous trompez de numéro", "Número equivocado", "Numero sbagliato", "Número errado", "Verkeerd nummer", "Zły numer",
    "Pomyłka",    "رقم خاطئ", "الرقم غلط", "טעות במספר", "wrong nubmer", "Wrogn number",
    "wrongnumber", "He doesn't live here any more", "This number doesn't belong to Ann", "I don't know any Ann",
    "Das bin ich nicht", "Ich kenne keine Ann", "Ce n'est pas moi", "Je ne connais pas Ann", "No soy yo", "Não sou eu",
    "Dat ben ik niet", "To nie ten numer", "هذا ليس رقمي", "لست أنا",
]  # fmt: skip


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_number_holds_contact_until_an_agent_has_looked(text: str) -> None:
    debt = factories.debt(debtor=factories.debtor(mobile_phone=PHONE))

    received = receive(sms(text))

    assert (received.asks_for, received.read_at) == ("wrong_person", None)
    assert point().suppressions == ["wrong number"]
    assert {queue(channel=channel, debt=debt).status for channel in ("sms", "voice", "call_script")} == {"blocked"}
    assert queue(debt=debt).status == "queued"
    assert not CommunicationLog.objects.filter(direction="outbound", confirms_opt_out=True).exists()

    contact_points.reactivate(point(), source="It is the debtor's after all", now=NOON)
    assert queue(channel="sms", debt=debt).status == "queued"


def test_a_wrong_person_by_mail_holds_mail_to_the_address() -> None:
    debt = factories.debt(debtor=factories.debtor(email=EMAIL))

    receive(mail("You have the wrong person.\n\nOn Mon, 5 Jan 2026, DDC <a@b.example> wrote:\n> Hello Ann"))

    assert queue(debt=debt).status == "blocked"
    assert queue(channel="sms", debt=debt).status == "queued"


ANSWERED = [
    "{}\n\nOn Mon, 5 Jan 2026 at 10:00, DDC <a@b.example> wrote:\n> Hello",
    "{}\r\n\r\nOn Mon, Jan 5, 2026 at 10:00 AM\r\nDDC <a@b.example> wrote:\r\n\r\n> Hello",
    "{}\n\nAm 5. Januar 2026 um 10:00 schrieb DDC <a@b.example>:\n> Hallo",
    "{}\n\nLe lun. 5 janv. 2026 à 10:00, DDC <a@b.example> a écrit :\n> Bonjour",
    "{}\n\nEl lun, 5 ene 2026 a las 10:00, DDC (<a@b.example>) escribió:\n\nHola",
    "{}\n\nIl giorno lun 5 gen 2026 alle ore 10:00 DDC <a@b.example> ha scritto:\n> Ciao",
    "{}\n\nEm seg., 5 de jan. de 2026 às 10:00, DDC <a@b.example> escreveu:\n> x",
    "{}\n\nOp ma 5 jan. 2026 om 10:00 schreef DDC <a@b.example>:\n> x",
    "{}\n\npon., 5 sty 2026 o 10:00 DDC <a@b.example> napisał(a):\n> x",
    "{}\n\n-----Original Message-----\nFrom: DDC <a@b.example>\nWe write to you",
    "{}\n\n________________________________\nVon: DDC <a@b.example>\nGesendet: Montag\nBetreff: x",
    "{}\n\nFrom: DDC <a@b.example>\nSent: Monday\nSubject: x\n\nWe write to you",
    "{}\n-- \nAnn Smith\nSales manager",
    "On Mon, 5 Jan 2026, DDC <a@b.example> wrote:\n> Hello\n\n{}",
    "> Hello\n> Ann\n\n{}",
    '<div dir="ltr">{}</div><br><div class="gmail_quote"><div>On Mon wrote</div><blockquote>We write</blockquote></div>',
    "<html><body><p>{}</p><hr><div id=\"divRplyFwdMsg\"><b>From:</b> DDC</div></body></html>",
]  # fmt: skip


@pytest.mark.parametrize("answered", ANSWERED)
@pytest.mark.parametrize("text", ["Please unsubscribe me", "Remove me"])
def test_a_stop_above_a_quoted_mail_is_obeyed(answered: str, text: str) -> None:
    assert quotes.new_text(answered.format(text)) == text
    factories.debtor(email=EMAIL)

    receive(mail(answered.format(text)))

    assert point(EMAIL).suppressions == ["opted out"]


def test_our_own_words_below_an_answer_are_no_stop() -> None:
    quoted = "> Reply STOP to get no more texts.\n> STOP\n> wrong number"

    assert quotes.new_text(f"I pay on Friday\n\nOn Mon, 5 Jan 2026, DDC wrote:\n{quoted}") == "I pay on Friday"
    receive(
        mail(f"I pay on Friday\n\nOn Mon, 5 Jan 2026, DDC wrote:\n{quoted}", subject="Re: Reply STOP to stop texting")
    )
    assert not ContactPoint.objects.filter(messages_suppressed=True).exists()


def test_a_stop_by_mail_ends_mail_to_the_address_that_got_ours_too() -> None:
    debt = factories.debt(debtor=factories.debtor(email=EMAIL))
    ours = CommunicationLog.objects.create(
        debtor=debt.debtor, communication_type="email", status="sent", sent_at=NOON, address=EMAIL
    )

    receive(mail("STOP", address="ann@work.example", references=(f"<{ours.pk}@x>",)))

    assert point(EMAIL).suppressions == point("ann@work.example").suppressions == ["opted out"]


def test_start_by_mail_opts_nobody_in_because_anybody_can_write_a_sender() -> None:
    factories.debtor(email=EMAIL)
    receive(mail("STOP"))

    received = replies.receive(mail("START", provider_message_id="2"), now=NOON + timedelta(minutes=1))

    assert received
    received.refresh_from_db()
    assert (received.asks_for, received.read_at) == ("start", None)
    assert point(EMAIL).suppressions == ["opted out"]


def test_a_stop_by_text_ends_calls_by_machine_and_not_those_of_agents() -> None:
    debt = factories.debt(debtor=factories.debtor(mobile_phone=PHONE))
    waiting = queue(channel="voice", debt=debt)

    receive(sms("STOP", opt_out="STOP"))

    assert queue(channel="voice", debt=debt).status == "blocked"
    assert queue(channel="sms", debt=debt).status == "blocked"
    assert queue(channel="call_script", debt=debt).status == "queued"
    drain()
    waiting.refresh_from_db()
    assert waiting.status == "blocked"

    replies.receive(sms("START", "SM2"), now=NOON + timedelta(minutes=1))
    assert queue(channel="voice", debt=debt).status == "queued"


def headers(**values: str) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in values.items()}


class Mail(dict[str, str]):
    """The parts of anymail's message that are read."""

    def __init__(self, subject: str = "Hello", **values: str) -> None:
        super().__init__(headers(**values))
        self.subject, self.text, self.html, self.stripped_text = subject, "Stop! I am on holiday.", None, None
        self.envelope_sender, self.from_email = EMAIL, None

    def __missing__(self, name: str) -> None:
        return None


def parsed(message: Mail) -> Any:
    return mail_events.read_event("postmark", type("Event", (), {"message": message, "event_id": "1"}))


AUTOMATIC = [
    Mail(Auto_Submitted="auto-replied"), Mail(Auto_Submitted="auto-generated; owner-email=x"), Mail(Precedence="auto_reply"),
    Mail(Precedence="bulk"), Mail(X_Autoreply="yes"), Mail(X_Autorespond="1"), Mail("Automatic reply: Your account"),
    Mail("Out of Office: Re: your account"), Mail("Automatische Antwort: Ihr Konto"), Mail("Abwesenheitsnotiz"),
    Mail("Réponse automatique : Votre compte"), Mail("Respuesta automática: Su cuenta"), Mail("Risposta automatica: x"),
    Mail("Resposta automática: x"), Mail("Automatisch antwoord: x"), Mail("Automatyczna odpowiedź: x"), Mail("رد تلقائي: x"),
]  # fmt: skip


@pytest.mark.parametrize("message", AUTOMATIC)
def test_an_automatic_reply_is_marked_and_nothing_in_it_is_obeyed(message: Mail) -> None:
    factories.debtor(email=EMAIL)
    event = parsed(message)
    assert event.automatic

    received = receive(event)

    assert (received.asks_for, received.read_at, received.read_by) == ("automatic", NOON, None)
    assert not InboundRow.objects.filter(read_at=None).exists()
    assert not ContactPoint.objects.filter(messages_suppressed=True).exists()


@pytest.mark.parametrize(
    "message", [Mail(), Mail(Auto_Submitted="no"), Mail("Re: Automatic reply"), Mail(Precedence="normal")]
)
def test_a_persons_mail_is_obeyed(message: Mail) -> None:
    event = parsed(message)

    assert not event.automatic
    assert receive(event).asks_for == "doubtful"
    assert point(EMAIL).suppressions == ["opted out"]


@pytest.mark.parametrize("word", ["HELP", "info", "Hilfe", "Aide", "مساعدة"])
def test_help_is_marked_for_an_agent(word: str) -> None:
    received = receive(sms(word))

    assert (received.asks_for, received.read_at) == ("help", None)


def bounce(number: int, event: Event = Event.BOUNCED, suppression: SuppressionReason | None = None) -> None:
    happened = DeliveryEvent(
        "postmark", f"b{number}", address=EMAIL, event=event, suppression=suppression, reason_text="full"
    )
    delivery_events.apply(happened, now=NOON)


def bounces(numbers: Iterable[int]) -> None:
    for number in numbers:
        bounce(number)


def test_ten_soft_bounces_in_a_row_end_mail_until_an_agent_has_looked() -> None:
    debt = factories.debt(debtor=factories.debtor(email=EMAIL))
    bounces(range(9))
    bounce(9, Event.DELIVERED)
    bounces(range(10, 19))
    assert point(EMAIL).suppressions == []

    bounce(19)

    assert point(EMAIL).suppressions == ["bounced"]
    assert "10 temporary failures in a row: full" in str(point(EMAIL).bounced_source)
    assert queue(debt=debt).status == "blocked"
    contact_points.reactivate(point(EMAIL), source="The mailbox is empty again", now=NOON)
    bounces(range(20, 29))
    assert queue(debt=debt).status == "queued"
