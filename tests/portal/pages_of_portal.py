"""The portal's pages, for the tests that look at every one. A new page is one line here."""

from arrangements.models import Arrangement
from collection.models import Debt, DeferralRequest, Dispute
from debtors.models import Debtor
from portal import messages
from portal.models import AddressChange, Budget

#: Before the sign-in, by name; ``code`` and ``question`` need the steps before them.
PUBLIC = {
    "sign-in": "/portal",
    "sign-in-email": "/portal/sign-in?by=email",
    "signed-out": "/portal/sign-out",
    "not-found": "/portal/nothing",
}


def of(debtor: Debtor) -> dict[str, str]:
    """Return the pages of a signed-in debtor who has a debt in each state (``personas.busy``)."""
    due = Debt.objects.get(debtor=debtor, external_reference="R0")
    arrangement = Arrangement.objects.filter(debtor=debtor).first()
    request = DeferralRequest.objects.filter(debtor=debtor, status="pending").first()
    dispute = Dispute.objects.filter(debt__debtor=debtor).first()
    message, change = messages.of(debtor).first(), AddressChange.objects.filter(debtor=debtor).first()
    left, nothing = Budget.objects.filter(debtor=debtor).order_by("-offered")[:2]
    assert arrangement
    assert request
    assert dispute
    assert message
    assert change
    return {
        "home": "/portal",
        "ledger": f"/portal/debts/{due.pk}",
        "pay": "/portal/pay",
        "transfer": f"/portal/pay/transfer?debt={due.pk}&amount=1",
        "more-time-debts": "/portal/more-time",
        "more-time": f"/portal/debts/{due.pk}/more-time",
        "request": f"/portal/more-time/{request.pk}",
        "plan": f"/portal/debts/{due.pk}/plan",
        "plan-below-floor": f"/portal/debts/{due.pk}/plan?amount=2&every=monthly",
        "plan-agree": f"/portal/debts/{due.pk}/plan/agree?choice=plan-3",
        "arrangement": f"/portal/plans/{arrangement.pk}",
        "dispute-debts": "/portal/dispute",
        "dispute": f"/portal/debts/{due.pk}/dispute",
        "dispute-state": f"/portal/disputes/{dispute.pk}",
        "help": "/portal/help",
        "complain": "/portal/complain",
        "details": "/portal/details",
        "new-phone": "/portal/details/new/phone",
        "new-email": "/portal/details/new/email",
        "new-address-code": f"/portal/details/code/{change.pk}",
        "messages": "/portal/messages",
        "message": f"/portal/messages/{message.pk}",
        "statement": "/portal/statement",
        "budget": "/portal/budget",
        "budget-result": f"/portal/budget/{left.pk}",
        "budget-nothing-left": f"/portal/budget/{nothing.pk}",
    }
