"""Queue a message about some debt, and drain the outbox, at noon unless told otherwise."""

from communications import delivery, outbox
from tests import factories
from tests.communications.conftest import NOON


def drain(at=NOON, **options):
    return delivery.drain(clock=lambda: at, **options)


def queue(**values):
    debt = values.pop("debt", None) or factories.debt()
    values.setdefault("channel", "email")
    if "body" not in values:
        values.setdefault("template", factories.template(communication_type=values["channel"]))
    return outbox.queue(debtor=debt.debtor, debt=debt, **{"now": NOON} | values)
