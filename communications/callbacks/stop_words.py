"""What people write who want no more messages, or want them again, as the whole of what they say."""

import re
import unicodedata

#: English ones end all text messages wherever they come from (CTIA Messaging Principles, 5.1.3; 47 CFR 64.1200(a)(10)); those of
#: other languages are what people write there.
STOP = frozenset(
    {
        "stop", "stopall", "stop all", "unsubscribe", "cancel", "end", "quit", "optout", "opt out", "revoke", "remove",
        "remove me", "no more", "unsub",
        "stopp", "abmelden", "abbestellen", "kündigen", "aufhören", "beenden",  # German, and Swedish
        "arret", "arreter", "désinscrire", "desabonner", "se désabonner", "resilier", "annuler",  # French
        "alto", "baja", "parar", "detener", "cancelar", "fin", "no molestar",  # Spanish, Portuguese
        "basta", "ferma", "annulla", "cancellami", "disiscrivi",  # Italian
        "pare", "sair", "remover", "chega", "descadastrar",  # Portuguese
        "stoppen", "afmelden", "uitschrijven", "annuleren", "einde",  # Dutch
        "koniec", "wypisz", "rezygnuje", "anuluj", "zatrzymaj",  # Polish
        "zrusit", "odhlasit", "leallitas", "opreste", "dezabonare", "avsluta", "avslutt", "afmeld", "lopeta",
        "стоп", "отписаться", "хватит", "відписатися", "στοπ", "dur", "iptal",  # Russian, Ukrainian, Greek, Turkish
        "停止", "退订", "退訂", "配信停止", "수신거부", "중지", "توقف", "الغاء", "הסר", "הסרה",
    }
)  # fmt: skip
#: These end them also when more follows: nobody begins another sentence so.
BEGINNINGS = frozenset({"stop", "stopall", "unsubscribe", "optout", "stopp", "abmelden", "afmelden", "uitschrijven"})
START = frozenset({"start", "unstop", "restart", "opt in", "optin", "resubscribe"})
_LOOKED_AT = 8


def _plain(text: str) -> str:
    """Lower case without accents; punctuation and whatever else stands around words is a space."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return " ".join(re.findall(r"[^\W_]+", bare)[:_LOOKED_AT])


_STOP, _START = frozenset(map(_plain, STOP)), frozenset(map(_plain, START))


def wish(text: str) -> str | None:
    """Tell what the words ask for: ``stop``, ``start`` or nothing of the kind."""
    words = _plain(text)
    if words in _STOP or words.replace(" ", "") in _STOP or words.split(" ")[0] in BEGINNINGS:
        return "stop"
    return "start" if words in _START else None
