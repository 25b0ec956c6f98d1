"""Calls in which Twilio reads the text out."""

from xml.sax.saxutils import escape, quoteattr

from django.conf import settings

from communications import keypad
from communications.channels import sms, twilio_api
from communications.channels.message import Outcome, Outgoing
from communications.models import CommunicationLog

#: What Twilio's <Say> wants is a tag with a region.
_SPOKEN = {
    "en": "en-GB", "de": "de-DE", "fr": "fr-FR", "es": "es-ES", "it": "it-IT", "pt": "pt-PT", "nl": "nl-NL", "pl": "pl-PL",
    "da": "da-DK", "sv": "sv-SE", "nb": "nb-NO", "no": "nb-NO", "fi": "fi-FI", "ru": "ru-RU", "ja": "ja-JP", "ko": "ko-KR",
    "zh": "zh-CN", "ca": "ca-ES",
}  # fmt: skip
#: What is said after the text, and when somebody wants no more calls.
_PROMPTS = {
    "en": (
        "To hear this again, press 1. If you do not want to be called again, press 9.",
        "You will not be called again. Goodbye.",
    ),
    "de": (
        "Um dies noch einmal zu hören, drücken Sie die 1. Wenn Sie nicht mehr angerufen werden möchten, drücken Sie die 9.",
        "Sie werden nicht mehr angerufen. Auf Wiederhören.",
    ),
    "fr": (
        "Pour réécouter ce message, tapez 1. Si vous ne souhaitez plus être appelé, tapez 9.",
        "Vous ne serez plus appelé. Au revoir.",
    ),
    "es": (
        "Para escuchar de nuevo, pulse 1. Si no desea que le llamemos más, pulse 9.",
        "No le llamaremos más. Adiós.",
    ),
    "it": (
        "Per riascoltare, prema 1. Se non desidera più essere chiamato, prema 9.",
        "Non la chiameremo più. Arrivederci.",
    ),
    "pt": (
        "Para ouvir novamente, prima 1. Se não quiser voltar a ser chamado, prima 9.",
        "Não voltaremos a ligar. Adeus.",
    ),
    "nl": (
        "Toets 1 om dit nog eens te horen. Toets 9 als u niet meer gebeld wilt worden.",
        "U wordt niet meer gebeld. Tot ziens.",
    ),
    "pl": (
        "Aby usłyszeć to ponownie, naciśnij 1. Jeśli nie chcesz więcej telefonów, naciśnij 9.",
        "Nie będziemy więcej dzwonić. Do widzenia.",
    ),
}
_SECONDS_TO_PRESS = 8


class Sender:
    def send(self, outgoing: Outgoing) -> Outcome:
        """Have one call made and say what became of the order."""
        if settings.SMS_BACKEND != "twilio":
            return sms.without_provider("Call", outgoing)
        return twilio_api.hand_over(
            lambda client: client.calls.create(
                to=outgoing.to,
                from_=settings.TWILIO_FROM_NUMBER,
                twiml=spoken(outgoing),
                machine_detection="Enable",
                status_callback=twilio_api.callback_url(outgoing),
            )
        )

    def close(self) -> None:
        """Twilio's client keeps its connections by itself."""


def spoken(outgoing: Outgoing) -> str:
    """Write the text as TwiML: it is read out, and then a key repeats it or ends all calls."""
    (prompt, _), spoken_in = _prompts(outgoing.language)
    action = f"{settings.PUBLIC_URL}/callbacks/twilio/key?log={outgoing.log_id}"
    return (
        f'<Response><Gather numDigits="1" timeout="{_SECONDS_TO_PRESS}" action={quoteattr(action)}>'
        f"{_say(outgoing.body, outgoing.language)}{_say(prompt, spoken_in)}"
        "</Gather></Response>"
    )


def answer_to_key(log: CommunicationLog | None, digit: str) -> str:
    """Write what follows a key: the text again, or that there will be no more calls; else the call ends."""
    language = _language(log)
    if log and digit == keypad.REPEAT:
        return spoken(Outgoing(log.pk, log.address or "", None, log.body or "", None, language))
    if digit == keypad.OPT_OUT:
        (_, farewell), spoken_in = _prompts(language)
        return f"<Response>{_say(farewell, spoken_in)}<Hangup/></Response>"
    return "<Response><Hangup/></Response>"


def _language(log: CommunicationLog | None) -> str | None:
    return log.template.language if log and log.template else None


def _prompts(language: str | None) -> tuple[tuple[str, str], str]:
    """Our own words, and the language that they are in: the text's, where we know it."""
    base = (language or "en").split("-")[0].lower()
    return (_PROMPTS[base], language or "en") if base in _PROMPTS else (_PROMPTS["en"], "en")


def _say(text: str, language: str | None) -> str:
    language = language or ""
    tag = _SPOKEN.get(language, language if "-" in language else "")
    attribute = f" language={quoteattr(tag)}" if tag else ""
    return f"<Say{attribute}>{escape(text)}</Say>"
