"""What a machine says in a call, as TwiML, in the text's own language.

Whoever picks up may be anybody, so the debt isn't spoken of until somebody says by a key that they are the debtor (12 CFR
1006.6(d)(1)). A voicemail may be heard by anybody too: it gets a limited-content message (12 CFR 1006.2(j)), or nothing.
"""

from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

from django.conf import settings

from communications.models import CommunicationLog

#: Where the tag of a language is not one that Twilio's <Say> knows, this one of the same language is.
_SPOKEN = {
    "en": "en-GB", "de": "de-DE", "fr": "fr-FR", "es": "es-ES", "it": "it-IT", "pt": "pt-PT", "nl": "nl-NL", "pl": "pl-PL",
    "da": "da-DK", "sv": "sv-SE", "nb": "nb-NO", "no": "nb-NO", "fi": "fi-FI", "ru": "ru-RU", "ja": "ja-JP", "ko": "ko-KR",
    "zh": "zh-CN", "ca": "ca-ES",
}  # fmt: skip
_TAGS = frozenset(_SPOKEN.values()) | {
    "en-AU", "en-CA", "en-IN", "en-US", "es-MX", "fr-CA", "pt-BR", "zh-HK", "zh-TW",
}  # fmt: skip
_SECONDS_TO_PRESS = 8


class _Words(NamedTuple):
    """``greeting`` names the debtor and no more; ``voicemail`` says what the rule lists and nothing else."""

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


def greeting(log: CommunicationLog) -> str:
    """Say for whom the message is; a key lets them hear it, or ends all calls."""
    words, spoken_in = _words(log)
    name = log.debtor.name if log.debtor else ""
    return _until_a_key(log, _say(words.greeting.format(debtor=name), spoken_in))


def text(log: CommunicationLog) -> str:
    """Read the message out; a key repeats it, or ends all calls."""
    words, spoken_in = _words(log)
    return _until_a_key(log, _say(log.body or "", _language(log)) + _say(words.again, spoken_in))


def farewell(log: CommunicationLog | None) -> str:
    """Confirm that there will be no more calls."""
    words, spoken_in = _words(log)
    return f"<Response>{_say(words.farewell, spoken_in)}<Hangup/></Response>"


def voicemail(log: CommunicationLog) -> str:
    """Leave the limited-content message: who asks to be called back, from where, at which number."""
    words, spoken_in = _words(log)
    said = words.voicemail.format(
        person=settings.VOICEMAIL_PERSON, name=settings.VOICEMAIL_NAME, phone=settings.AGENCY_PHONE
    )
    return f"<Response>{_say(said, spoken_in)}<Hangup/></Response>"


def nothing() -> str:
    return "<Response><Hangup/></Response>"


def may_leave_voicemail() -> bool:
    """Tell whether all is known that a limited-content message has to say."""
    return bool(settings.VOICEMAIL_PERSON and settings.VOICEMAIL_NAME and settings.AGENCY_PHONE)


def _until_a_key(log: CommunicationLog, says: str) -> str:
    action = f"{settings.PUBLIC_URL}/callbacks/twilio/key?log={log.pk}"
    gather = f'<Gather numDigits="1" timeout="{_SECONDS_TO_PRESS}" action={quoteattr(action)}>{says}</Gather>'
    return f"<Response>{gather}</Response>"


def _language(log: CommunicationLog | None) -> str | None:
    return log.template.language if log and log.template else None


def _words(log: CommunicationLog | None) -> tuple[_Words, str]:
    """Our own words, and the language that they are in: the text's, where we know it."""
    language = _language(log) or "en"
    base = language.split("-")[0].lower()
    return (_WORDS[base], language) if base in _WORDS else (_WORDS["en"], "en")


def _say(words: str, language: str | None) -> str:
    tag = language if language in _TAGS else _SPOKEN.get((language or "").split("-")[0].lower())
    attribute = f" language={quoteattr(tag)}" if tag else ""
    return f"<Say{attribute}>{escape(words)}</Say>"
