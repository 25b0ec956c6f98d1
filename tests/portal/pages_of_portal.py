"""The portal's pages, for the tests that look at every one. A new page is one line here."""

from arrangements.models import Arrangement
from collection.models import Debt, DeferralRequest
from debtors.models import Debtor

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
    assert arrangement
    assert request
    return {
        "home": "/portal",
        "ledger": f"/portal/debts/{due.pk}",
        "pay": "/portal/pay",
        "more-time-debts": "/portal/more-time",
        "more-time": f"/portal/debts/{due.pk}/more-time",
        "request": f"/portal/more-time/{request.pk}",
        "plan": f"/portal/debts/{due.pk}/plan",
        "plan-below-floor": f"/portal/debts/{due.pk}/plan?amount=2&every=monthly",
        "plan-agree": f"/portal/debts/{due.pk}/plan/agree?choice=plan-3",
        "arrangement": f"/portal/plans/{arrangement.pk}",
    }
