"""The provider for development: it prints text messages and calls instead of sending them."""

import sys

from communications.channels.message import Outcome, Outgoing
from communications.providers.base import OfflineProvider


class Console(OfflineProvider):
    name = "console"

    def send_sms(self, outgoing: Outgoing) -> Outcome:
        return self._print("SMS", outgoing)

    def call(self, outgoing: Outgoing) -> Outcome:
        return self._print("Call", outgoing)

    def _print(self, kind: str, outgoing: Outgoing) -> Outcome:
        sys.stdout.write(f"{kind} to {outgoing.to}: {outgoing.body}\n")
        sys.stdout.flush()
        return self.accept(outgoing)
