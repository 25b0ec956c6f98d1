"""The words of a call by machine, in the language of the message; a provider of voice turns them into its own markup.

Anyone may pick up, so the debt is not mentioned before a person confirms by a key that they are the debtor (12 CFR
1006.6(d)(1)). Anyone may hear a voicemail too: it gets a limited-content message (12 CFR 1006.2(j)), or nothing.
"""

import uuid
from dataclasses import dataclass
from typing import NamedTuple

from django.conf import settings

from communications.models import CommunicationLog

#: The keys of the phone: hear the message, and no more calls. Any other key ends the call.
HEAR, OPT_OUT = "1", "9"
SECONDS_FOR_KEY = 8


@dataclass(frozen=True)
class Line:
    """Words to speak; the language is a tag such as ``de`` or ``fr-CA``, None if it is unknown."""

    text: str
    language: str | None


@dataclass(frozen=True)
class Script:
    """What is spoken when a call is answered or a key was pressed.

    After the lines the call waits ``SECONDS_FOR_KEY`` for a key, which belongs to the message ``key_for``; without one it ends.
    """

    lines: tuple[Line, ...] = ()
    key_for: uuid.UUID | None = None


HANG_UP = Script()


class _Words(NamedTuple):
    """``greeting`` contains the debtor's name and no more; ``voicemail`` what the rule lists and nothing else."""

    greeting: str
    again: str
    farewell: str
    voicemail: str


_WORDS = {
    "en": _Words(
        "This is a message for {debtor}. If this is you, press 1 to hear it. If you do not want to be called, press 9.",
        "To hear this again, press 1. If you do not want to be called again, press 9.",
        "You will not be called again. Goodbye.",
        "This is {person} calling from {name}. Please call me back on {phone}.",
    ),
    "de": _Words(
        "Dies ist eine Nachricht für {debtor}. Wenn Sie das sind, drücken Sie die 1, um sie zu hören. Wenn Sie nicht angerufen "
        "werden möchten, drücken Sie die 9.",
        "Um dies noch einmal zu hören, drücken Sie die 1. Wenn Sie nicht mehr angerufen werden möchten, drücken Sie die 9.",
        "Sie werden nicht mehr angerufen. Auf Wiederhören.",
        "Hier ist {person} von {name}. Bitte rufen Sie mich zurück unter {phone}.",
    ),
    "fr": _Words(
        "Ceci est un message pour {debtor}. Si c'est vous, tapez 1 pour l'écouter. Si vous ne souhaitez pas être appelé, "
        "tapez 9.",
        "Pour réécouter ce message, tapez 1. Si vous ne souhaitez plus être appelé, tapez 9.",
        "Vous ne serez plus appelé. Au revoir.",
        "Ici {person} de {name}. Merci de me rappeler au {phone}.",
    ),
    "es": _Words(
        "Este es un mensaje para {debtor}. Si es usted, pulse 1 para escucharlo. Si no desea que le llamemos, pulse 9.",
        "Para escuchar de nuevo, pulse 1. Si no desea que le llamemos más, pulse 9.",
        "No le llamaremos más. Adiós.",
        "Le habla {person} de {name}. Por favor, devuélvame la llamada al {phone}.",
    ),
    "it": _Words(
        "Questo è un messaggio per {debtor}. Se è lei, prema 1 per ascoltarlo. Se non desidera essere chiamato, prema 9.",
        "Per riascoltare, prema 1. Se non desidera più essere chiamato, prema 9.",
        "Non la chiameremo più. Arrivederci.",
        "Sono {person} di {name}. La prego di richiamarmi al {phone}.",
    ),
    "pt": _Words(
        "Esta é uma mensagem para {debtor}. Se é a própria pessoa, prima 1 para a ouvir. Se não quiser ser chamado, prima 9.",
        "Para ouvir novamente, prima 1. Se não quiser voltar a ser chamado, prima 9.",
        "Não voltaremos a ligar. Adeus.",
        "Fala {person} de {name}. Por favor, ligue-me de volta para {phone}.",
    ),
    "nl": _Words(
        "Dit is een bericht voor {debtor}. Bent u dat, toets dan 1 om het te horen. Toets 9 als u niet gebeld wilt worden.",
        "Toets 1 om dit nog eens te horen. Toets 9 als u niet meer gebeld wilt worden.",
        "U wordt niet meer gebeld. Tot ziens.",
        "U spreekt met {person} van {name}. Belt u mij alstublieft terug op {phone}.",
    ),
    "pl": _Words(
        "To jest wiadomość dla {debtor}. Jeśli to Państwo, proszę nacisnąć 1, aby jej wysłuchać. Jeśli nie chcą Państwo "
        "telefonów, proszę nacisnąć 9.",
        "Aby usłyszeć to ponownie, naciśnij 1. Jeśli nie chcesz więcej telefonów, naciśnij 9.",
        "Nie będziemy więcej dzwonić. Do widzenia.",
        "Mówi {person} z {name}. Proszę oddzwonić pod numer {phone}.",
    ),
}


def may_leave_voicemail() -> bool:
    """Check that the settings contain all that a limited-content message must contain."""
    return bool(settings.VOICEMAIL_PERSON and settings.VOICEMAIL_NAME and settings.AGENCY_PHONE)


def machine_note() -> str:
    """Return the note for a call that a machine answered."""
    if may_leave_voicemail():
        return "A machine answered. The limited-content message was left there, and nothing else."
    return "A machine answered. Nothing was said."


def on_answer(message: CommunicationLog | None, *, by_machine: bool) -> Script:
    """Return what is spoken when a call is answered; nothing if the call is unknown."""
    if message is None or (by_machine and not may_leave_voicemail()):
        return HANG_UP
    words, language = _words(message)
    if by_machine:
        voicemail = words.voicemail.format(
            person=settings.VOICEMAIL_PERSON, name=settings.VOICEMAIL_NAME, phone=settings.AGENCY_PHONE
        )
        return Script((Line(voicemail, language),))
    greeting = words.greeting.format(debtor=message.debtor.name if message.debtor else "")
    return Script((Line(greeting, language),), key_for=message.pk)


def on_key(message: CommunicationLog | None, key: str) -> Script:
    """Return what is spoken after a key: the message, or a confirmation that there will be no more calls."""
    words, language = _words(message)
    if key == OPT_OUT:
        return Script((Line(words.farewell, language),))
    if message is None or key != HEAR:
        return HANG_UP
    return Script((Line(message.body or "", _language(message)), Line(words.again, language)), key_for=message.pk)


def _language(message: CommunicationLog | None) -> str | None:
    return message.template.language if message and message.template else None


def _words(message: CommunicationLog | None) -> tuple[_Words, str]:
    """Return our own words and their language: the message's language, or English."""
    language = _language(message) or "en"
    base = language.split("-")[0].lower()
    return (_WORDS[base], language) if base in _WORDS else (_WORDS["en"], "en")
