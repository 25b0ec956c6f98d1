"""The words of a call by machine, in the language of the message; a provider of voice turns them into its own markup.

Anyone may pick up, so the debt is not mentioned before a person confirms by a key that they are the debtor (12 CFR
1006.6(d)(1)). Anyone may hear a voicemail too: it gets a limited-content message (12 CFR 1006.2(j)), or nothing.
"""

import uuid
from dataclasses import dataclass

from django.conf import settings

from agency import profile
from communications.models import CommunicationLog
from communications.texts import wording

#: The keys of the phone: hear the message, and no more calls. Any other key ends the call.
HEAR, OPT_OUT = "1", "9"
SECONDS_FOR_KEY = 8


@dataclass(frozen=True)
class Line:
    """Words to speak; the language is a tag such as ``de`` or ``fr-CA``, None if it is unknown."""

    text: str
    language: str | None


@dataclass(frozen=True)
class Prompt:
    """What is spoken when a call is answered or a key was pressed.

    After the lines the call waits ``SECONDS_FOR_KEY`` for a key, which belongs to the message ``key_for``; without one it ends.
    """

    lines: tuple[Line, ...] = ()
    key_for: uuid.UUID | None = None


HANG_UP = Prompt()


def may_leave_voicemail() -> bool:
    """Check that the settings contain all that a limited-content message must contain."""
    return bool(settings.VOICEMAIL_PERSON and settings.VOICEMAIL_NAME and profile.current().phone)


def machine_note() -> str:
    """Return the note for a call that a machine answered."""
    if may_leave_voicemail():
        return "A machine answered. The limited-content message was left there, and nothing else."
    return "A machine answered. Nothing was spoken."


def on_answer(message: CommunicationLog | None, *, by_machine: bool) -> Prompt:
    """Return what is spoken when a call is answered; nothing if the call is unknown."""
    if message is None or (by_machine and not may_leave_voicemail()):
        return HANG_UP
    words, language = wording.in_language(_language(message))
    if by_machine:
        voicemail = words.voicemail.format(
            person=settings.VOICEMAIL_PERSON, name=settings.VOICEMAIL_NAME, phone=profile.current().phone
        )
        return Prompt((Line(voicemail, language),))
    greeting = words.call_greeting.format(debtor=message.debtor.name if message.debtor else "")
    return Prompt((Line(greeting, language),), key_for=message.pk)


def on_key(message: CommunicationLog | None, key: str) -> Prompt:
    """Return what is spoken after a key: the message, or a confirmation that there will be no more calls."""
    words, language = wording.in_language(_language(message))
    if key == OPT_OUT:
        return Prompt((Line(words.call_opted_out, language),))
    if message is None or key != HEAR:
        return HANG_UP
    return Prompt((Line(message.body or "", _language(message)), Line(words.call_repeat, language)), key_for=message.pk)


def _language(message: CommunicationLog | None) -> str | None:
    return message.template.language if message and message.template else None
