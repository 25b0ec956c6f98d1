"""Queue messages and drain the outbox, at noon by default."""

import re

from communications.outbox import outbox
from communications.sending import worker
from tests import factories
from tests.communications.conftest import NOON


def drain(at=NOON, **options):
    return worker.drain(clock=lambda: at, **options)


def queue(**values):
    debt = values.pop("debt", None) or factories.debt()
    values.setdefault("channel", "email")
    if "body" not in values:
        values.setdefault("template", factories.template(communication_type=values["channel"]))
    return outbox.queue(debtor=debt.debtor, debt=debt, **{"now": NOON} | values)


def words(text):
    """Return the text of a mail without its unsubscribe line."""
    return re.split(r"\n\n[^\n]+: \S+/unsubscribe/\S+\s*$", text or "")[0]
