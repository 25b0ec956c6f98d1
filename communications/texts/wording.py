"""The product's own texts to debtors, in eight languages. All other texts are templates of the agency."""

from dataclasses import dataclass

FALLBACK = "en"


@dataclass(frozen=True)
class Wording:
    """The texts in one language. ``{{name}}`` is a placeholder of messages; ``{name}`` is filled in when a call speaks."""

    #: The last line of a mail if its template does not contain the link (12 CFR 1006.6(e)).
    unsubscribe_line: str
    #: The confirmation of STOP; it must not sell or collect anything (47 CFR 64.1200(a)(12)).
    opted_out: str
    #: The first words of a call contain the debtor's name and no more.
    call_greeting: str
    call_repeat: str
    call_opted_out: str
    #: A limited-content message contains what 12 CFR 1006.2(j) lists and nothing else.
    voicemail: str


WORDING = {
    "en": Wording(
        unsubscribe_line="To get no more mail from us at this address",
        opted_out="{{agency_name}}: you will get no more text messages from us. Reply START to get them again.",
        call_greeting=(
            "This is a message for {debtor}. If this is you, press 1 to hear it. If you do not want to be called, press 9."
        ),
        call_repeat="To hear this again, press 1. If you do not want to be called again, press 9.",
        call_opted_out="You will not be called again. Goodbye.",
        voicemail="This is {person} calling from {name}. Please call me back on {phone}.",
    ),
    "de": Wording(
        unsubscribe_line="Um an diese Adresse keine E-Mails mehr von uns zu erhalten",
        opted_out="{{agency_name}}: Sie erhalten keine SMS mehr von uns. Antworten Sie START, um wieder welche zu erhalten.",
        call_greeting=(
            "Dies ist eine Nachricht für {debtor}. Wenn Sie das sind, drücken Sie die 1, um sie zu hören. Wenn Sie nicht "
            "angerufen werden möchten, drücken Sie die 9."
        ),
        call_repeat=(
            "Um dies noch einmal zu hören, drücken Sie die 1. Wenn Sie nicht mehr angerufen werden möchten, drücken Sie die 9."
        ),
        call_opted_out="Sie werden nicht mehr angerufen. Auf Wiederhören.",
        voicemail="Hier ist {person} von {name}. Bitte rufen Sie mich zurück unter {phone}.",
    ),
    "fr": Wording(
        unsubscribe_line="Pour ne plus recevoir d'e-mails de notre part à cette adresse",
        opted_out="{{agency_name}} : vous ne recevrez plus de SMS de notre part. Répondez START pour en recevoir à nouveau.",
        call_greeting=(
            "Ceci est un message pour {debtor}. Si c'est vous, tapez 1 pour l'écouter. Si vous ne souhaitez pas être appelé, "
            "tapez 9."
        ),
        call_repeat="Pour réécouter ce message, tapez 1. Si vous ne souhaitez plus être appelé, tapez 9.",
        call_opted_out="Vous ne serez plus appelé. Au revoir.",
        voicemail="Ici {person} de {name}. Merci de me rappeler au {phone}.",
    ),
    "es": Wording(
        unsubscribe_line="Para no recibir más correos nuestros en esta dirección",
        opted_out="{{agency_name}}: no recibirá más SMS nuestros. Responda START para volver a recibirlos.",
        call_greeting=(
            "Este es un mensaje para {debtor}. Si es usted, pulse 1 para escucharlo. Si no desea que le llamemos, pulse 9."
        ),
        call_repeat="Para escuchar de nuevo, pulse 1. Si no desea que le llamemos más, pulse 9.",
        call_opted_out="No le llamaremos más. Adiós.",
        voicemail="Le habla {person} de {name}. Por favor, devuélvame la llamada al {phone}.",
    ),
    "it": Wording(
        unsubscribe_line="Per non ricevere più e-mail da noi a questo indirizzo",
        opted_out="{{agency_name}}: non riceverà più SMS da noi. Risponda START per riceverli di nuovo.",
        call_greeting=(
            "Questo è un messaggio per {debtor}. Se è lei, prema 1 per ascoltarlo. Se non desidera essere chiamato, prema 9."
        ),
        call_repeat="Per riascoltare, prema 1. Se non desidera più essere chiamato, prema 9.",
        call_opted_out="Non la chiameremo più. Arrivederci.",
        voicemail="Sono {person} di {name}. La prego di richiamarmi al {phone}.",
    ),
    "pt": Wording(
        unsubscribe_line="Para não receber mais e-mails nossos neste endereço",
        opted_out="{{agency_name}}: não receberá mais SMS nossos. Responda START para voltar a recebê-los.",
        call_greeting=(
            "Esta é uma mensagem para {debtor}. Se é a própria pessoa, prima 1 para a ouvir. Se não quiser ser chamado, "
            "prima 9."
        ),
        call_repeat="Para ouvir novamente, prima 1. Se não quiser voltar a ser chamado, prima 9.",
        call_opted_out="Não voltaremos a ligar. Adeus.",
        voicemail="Fala {person} de {name}. Por favor, ligue-me de volta para {phone}.",
    ),
    "nl": Wording(
        unsubscribe_line="Om op dit adres geen e-mail meer van ons te ontvangen",
        opted_out="{{agency_name}}: u ontvangt geen sms-berichten meer van ons. Antwoord START om ze weer te ontvangen.",
        call_greeting=(
            "Dit is een bericht voor {debtor}. Bent u dat, toets dan 1 om het te horen. Toets 9 als u niet gebeld wilt worden."
        ),
        call_repeat="Toets 1 om dit nog eens te horen. Toets 9 als u niet meer gebeld wilt worden.",
        call_opted_out="U wordt niet meer gebeld. Tot ziens.",
        voicemail="U spreekt met {person} van {name}. Belt u mij alstublieft terug op {phone}.",
    ),
    "pl": Wording(
        unsubscribe_line="Aby nie otrzymywać od nas wiadomości na ten adres",
        opted_out="{{agency_name}}: nie będziemy już wysyłać SMS-ów. Odpowiedz START, aby otrzymywać je ponownie.",
        call_greeting=(
            "To jest wiadomość dla {debtor}. Jeśli to Państwo, proszę nacisnąć 1, aby jej wysłuchać. Jeśli nie chcą Państwo "
            "telefonów, proszę nacisnąć 9."
        ),
        call_repeat="Aby usłyszeć to ponownie, naciśnij 1. Jeśli nie chcesz więcej telefonów, naciśnij 9.",
        call_opted_out="Nie będziemy więcej dzwonić. Do widzenia.",
        voicemail="Mówi {person} z {name}. Proszę oddzwonić pod numer {phone}.",
    ),
}


def in_language(tag: str | None) -> tuple[Wording, str]:
    """Return the texts for a language tag such as ``fr-CA``, and the tag of their language: English if there are none."""
    language = tag or FALLBACK
    base = language.split("-")[0].lower()
    return (WORDING[base], language) if base in WORDING else (WORDING[FALLBACK], FALLBACK)
