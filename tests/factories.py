"""Rows for tests, with everything filled in that the test doesn't speak of."""

import itertools
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import Group
from django.utils.timezone import now

from agents.models import Agent
from casework import documents, follow_ups, notes, support
from casework.models import Document, FollowUp, Note, SupportRequest
from collection.models import Debt, Dispute, Segment
from communications.models import CommunicationTemplate
from creditors import creditors
from creditors.models import Creditor
from ddc.common.days import agency_today
from debtors import contact_points
from debtors.channels import Channel
from debtors.models import Consent, Debtor, SuppressionReason

_numbers = itertools.count(1)

PASSWORD = "correct horse battery staple"


def agent(role: str | None = "Supervisor", **values: Any) -> Agent:
    number = next(_numbers)
    fields: dict[str, Any] = {
        "username": f"agent{number}",
        "password": PASSWORD,
        "is_staff": True,
        "first_name": "Ann",
        "last_name": f"No{number}",
    }
    made = Agent.objects.create_user(**fields | values)
    if role:
        made.groups.add(Group.objects.get(name=role))
    return made


def creditor(name: str = "ABC Credit Corp", **values: Any) -> Creditor:
    return creditors.create(name=name, **values)


def debtor(**values: Any) -> Debtor:
    number = next(_numbers)
    return Debtor.objects.create(
        **{
            "first_name": "John",
            "last_name": "Doe",
            "email": f"john{number}@example.com",
            "mobile_phone": f"+447400{number:06d}",
            "country_code": "GB",
            "language_preference": "en",
        }
        | values
    )


def consent(of: Debtor, channel: str, at: datetime, **values: Any) -> Consent:
    """A consent of a debtor to a channel at their address."""
    address = of.normal_email if channel == "email" else of.normal_phone
    fields = {"debtor": of, "channel": channel, "address": address, "basis": "debtor", "given_at": at}
    return Consent.objects.create(**fields | values)


def debt(**values: Any) -> Debt:
    """A debt as ``debts.place`` makes it: with its placement in the ledger."""
    from collection import debts

    balance = Decimal(values.pop("balance", 1000))
    placed = values.pop("placement_date", date(2026, 1, 1))
    return debts.place(
        **{
            "debtor": values.pop("debtor", None) or debtor(),
            "original_creditor": "ABC Credit Corp",
            "currency_code": "GBP",
            "original_balance": balance,
            "placement_date": placed,
            "by": None,
            "today": max(placed or date(2026, 1, 1), date(2026, 1, 10)),
        }
        | values
    )


def dispute(**values: Any) -> Dispute:
    from collection import disputes

    fields: dict[str, Any] = {"channel": "letter", "reason": "I paid this in May.", "by": None, "now": now()}
    return disputes.receive(values.pop("debt", None) or debt(), **fields | values)


def note(**values: Any) -> Note:
    made: dict[str, Any] = {"debtor": values.pop("debtor", None) or debtor(), "by": values.pop("by", None) or agent()}
    return notes.write(**{"text": "Works shifts.", "now": now(), **made, **values})


def follow_up(**values: Any) -> FollowUp:
    made = {"debtor": values.pop("debtor", None) or debtor(), "due_on": agency_today(now()), "by": None, "now": now()}
    return follow_ups.set_for(**{"text": "Ask for the receipt.", **made, **values})


def complaint(**values: Any) -> SupportRequest:
    made = {"debtor": values.pop("debtor", None) or debtor(), "now": now()}
    return support.complain(**{"text": "You called me at night.", **made, **values})


def document(**values: Any) -> Document:
    examined = documents.examine("receipt.pdf", values.pop("content", b"%PDF-1.7 %%EOF"))
    return documents.keep(values.pop("debtor", None) or debtor(), examined, **{"now": now(), **values})


def segment(**values: Any) -> Segment:
    return Segment.objects.create(**{"name": f"Segment {next(_numbers)}"} | values)


def suppress(address: str, *, channel: str = "email", reason: str = "opted_out", source: str = "x") -> None:
    """Suppress an address."""
    contact_points.suppress(
        address, channel=Channel(channel), reason=SuppressionReason(reason), source=source, now=now()
    )


def template(**values: Any) -> CommunicationTemplate:
    return CommunicationTemplate.objects.create(
        **{
            "name": f"template_{next(_numbers)}",
            "communication_type": "email",
            "subject": "About {{original_creditor}}",
            "body": "Dear {{debtor_first_name}}, you owe {{debt_amount}}.",
        }
        | values
    )
