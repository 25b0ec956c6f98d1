"""The words by which debtors opt out of text messages, or in again. Each counts only if it is the whole text."""

import re
import unicodedata

#: The English words are required everywhere (CTIA Messaging Principles, 5.1.3; 47 CFR 64.1200(a)(10)); the others are usual in
#: their languages.
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
#: These count also if more text follows: no other sentence begins with them.
BEGINNINGS = frozenset({"stop", "stopall", "unsubscribe", "optout", "stopp", "abmelden", "afmelden", "uitschrijven"})
START = frozenset({"start", "unstop", "restart", "opt in", "optin", "resubscribe"})
_MAX_WORDS = 8


def _plain(text: str) -> str:
    """Convert to lower case without accents, with one space in place of all else between words."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return " ".join(re.findall(r"[^\W_]+", bare)[:_MAX_WORDS])


_STOP, _START = frozenset(map(_plain, STOP)), frozenset(map(_plain, START))


def keyword(text: str) -> str | None:
    """Return ``stop`` or ``start`` if the text opts out or in, else None."""
    words = _plain(text)
    if words in _STOP or words.replace(" ", "") in _STOP or words.split(" ")[0] in BEGINNINGS:
        return "stop"
    return "start" if words in _START else None
