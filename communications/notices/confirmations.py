"""The one message that goes to a number after it opted out: that it did (47 CFR 64.1200(a)(12))."""

from datetime import datetime, timedelta

from communications.models import CommunicationLog, Purpose
from communications.outbox import outbox
from communications.texts import templates
from debtors.channels import Channel

TEMPLATE = "opt_out_confirmed"
#: It comes at once, or not at all.
_LIFETIME = timedelta(minutes=5)
#: It must not sell or collect anything.
_TEXTS = {
    "en": "{{agency_name}}: you will get no more text messages from us. Reply START to get them again.",
    "de": "{{agency_name}}: Sie erhalten keine SMS mehr von uns. Antworten Sie START, um wieder welche zu erhalten.",
    "fr": "{{agency_name}} : vous ne recevrez plus de SMS de notre part. Répondez START pour en recevoir à nouveau.",
    "es": "{{agency_name}}: no recibirá más SMS nuestros. Responda START para volver a recibirlos.",
    "it": "{{agency_name}}: non riceverà più SMS da noi. Risponda START per riceverli di nuovo.",
    "pt": "{{agency_name}}: não receberá mais SMS nossos. Responda START para voltar a recebê-los.",
    "nl": "{{agency_name}}: u ontvangt geen sms-berichten meer van ons. Antwoord START om ze weer te ontvangen.",
    "pl": "{{agency_name}}: nie będziemy już wysyłać SMS-ów. Odpowiedz START, aby otrzymywać je ponownie.",
}


def confirm_stop(asked: CommunicationLog, *, now: datetime) -> CommunicationLog:
    """Queue the confirmation to the number that asked, be it a debtor's or not, in the debtor's language where there is one."""
    preferred = asked.debtor.language_preference if asked.debtor else None
    template = templates.named(TEMPLATE, Channel.SMS, language=preferred) if asked.debtor else None
    language = (preferred or "en").split("-")[0].lower()
    return outbox.queue(
        debtor=asked.debtor,
        channel=Channel.SMS,
        template=template,
        body=None if template else _TEXTS.get(language, _TEXTS["en"]),
        purpose=Purpose.SOLICITED,
        now=now,
        expires_at=now + _LIFETIME,
        confirms_opt_out_of=asked.address,
    )
