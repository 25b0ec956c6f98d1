"""The way of each channel's messages: e-mail by the mail backend, SMS and voice by the configured provider."""

from communications.channels import email
from communications.channels.message import Outcome, Outgoing
from communications.providers import registry
from debtors.channels import Channel

#: The "provider" of call scripts: agents see a script as soon as it is written.
AGENT = "agent"


def provider_of(channel: Channel) -> str:
    """Return the name of the provider that gets a channel's messages."""
    if channel == Channel.CALL_SCRIPT:
        return AGENT
    return email.provider() if channel == Channel.EMAIL else registry.configured().name


class Senders:
    """Send messages of any channel, and keep the mail connection over them until ``close``.

    Providers of SMS and voice keep their connections by themselves.
    """

    def __init__(self) -> None:
        self._email = email.Sender()

    def send(self, channel: Channel, outgoing: Outgoing) -> Outcome:
        match channel:
            case Channel.EMAIL:
                return self._email.send(outgoing)
            case Channel.SMS:
                return registry.configured().send_sms(outgoing)
            case Channel.VOICE:
                return registry.configured().call(outgoing)
        raise ValueError(f"No sender for the channel {channel}.")

    def close(self) -> None:
        self._email.close()
