"""Calls in which Twilio speaks: first it finds out who picked up, then it asks us what to say."""

from django.conf import settings

from communications.callbacks import keypad
from communications.channels import sms, spoken, twilio_api
from communications.channels.message import Outcome, Outgoing
from communications.models import CommunicationLog


class Sender:
    def send(self, outgoing: Outgoing) -> Outcome:
        """Have one call made and say what became of the order."""
        if settings.SMS_BACKEND != "twilio":
            return sms.without_provider("Call", outgoing)
        return twilio_api.hand_over(
            lambda client: client.calls.create(
                to=outgoing.to,
                from_=settings.TWILIO_FROM_NUMBER,
                url=f"{settings.PUBLIC_URL}/callbacks/twilio/answer?log={outgoing.message_id}",
                # To leave a message it takes the end of the machine's own; to hang up, its beginning is enough.
                machine_detection="DetectMessageEnd" if spoken.may_leave_voicemail() else "Enable",
                status_callback=twilio_api.callback_url(outgoing),
            )
        )

    def close(self) -> None:
        """Twilio's client keeps its connections by itself."""


def answer(log: CommunicationLog | None, *, by_machine: bool) -> str:
    """Write what is said to whoever, or whatever, picked up."""
    if log is None or (by_machine and not spoken.may_leave_voicemail()):
        return spoken.nothing()
    return spoken.voicemail(log) if by_machine else spoken.greeting(log)


def left_with_machine() -> str:
    """Say what a machine that answers gets, for the record."""
    if spoken.may_leave_voicemail():
        return "A machine answered. The limited-content message was left there, and nothing else."
    return "A machine answered. Nothing was said."


def answer_to_key(log: CommunicationLog | None, digit: str) -> str:
    """Write what follows a key: the text, or that there will be no more calls; else the call ends."""
    if digit == keypad.OPT_OUT:
        return spoken.farewell(log)
    return spoken.text(log) if log and digit == keypad.HEAR else spoken.nothing()
