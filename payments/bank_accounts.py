"""Bank accounts for transfers: one person proposes an account, another approves it, and it replaces the one before."""

import re
from datetime import datetime

from django.db import transaction

from agents.models import Agent, require_permission
from creditors.models import Creditor
from ddc.common.errors import DomainError, Forbidden, Invalid
from payments import creditor_references
from payments.models import BankAccount

Decision = BankAccount.Decision


class BadIban(Invalid):
    field = "iban"
    message = "This is no IBAN: its check digits are wrong. Compare it with the bank's letter."


class BadBic(Invalid):
    field = "bic"
    message = "This is no BIC. Enter 8 or 11 letters and digits, such as DEUTDEFF500, or leave it empty."


class AlreadyDecided(DomainError):
    message = "This account has been decided already."


class OwnProposal(Forbidden):
    message = "You proposed this account. Another person approves it."


def propose(account: BankAccount, *, by: Agent, now: datetime) -> BankAccount:
    """Save a proposed account; it is in force once another person has approved it.

    :raises Forbidden: if ``by`` may not
    :raises BadIban: if the check digits are wrong
    :raises BadBic: if the BIC has another form
    """
    require_permission(by, "payments.add_bankaccount")
    account.iban, account.bic = _compact(account.iban), _compact(account.bic)
    account.holder = " ".join(account.holder.split())
    is_iban = re.fullmatch(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}", account.iban)
    if not is_iban or creditor_references.remainder(account.iban) != 1:
        raise BadIban
    if account.bic and not re.fullmatch(r"[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?", account.bic):
        raise BadBic
    account.proposed_by, account.created_at = by, now
    account.save(force_insert=True)
    return account


@transaction.atomic
def approve(account: BankAccount, *, by: Agent, now: datetime) -> BankAccount:
    """Put an account that another person proposed in force; it replaces the creditor's, or the agency's, in its currency.

    :raises Forbidden: if ``by`` may not, or proposed it
    :raises AlreadyDecided: if it was decided before
    """
    require_permission(by, "payments.decide_bankaccount")
    account = _lock(account)
    if account.proposed_by_id == by.pk:
        raise OwnProposal
    same = {"creditor": account.creditor_id, "currency_code": account.currency_code}
    BankAccount.objects.filter(**same, decision=Decision.APPROVED, replaced_at=None).update(replaced_at=now)
    return _decide(account, Decision.APPROVED, by=by, now=now)


@transaction.atomic
def reject(account: BankAccount, *, by: Agent, now: datetime) -> BankAccount:
    """Reject a proposed account; its proposer may withdraw it so.

    :raises AlreadyDecided: if it was decided before
    """
    if account.proposed_by_id != by.pk:
        require_permission(by, "payments.decide_bankaccount")
    return _decide(_lock(account), Decision.REJECTED, by=by, now=now)


def for_creditor(creditor: Creditor, currency: str) -> BankAccount | None:
    """Return the account in force for transfers to a creditor, the agency's if the creditor has none; None: there is none."""
    rows = BankAccount.objects.filter(currency_code=currency, decision=Decision.APPROVED, replaced_at=None)
    return rows.filter(creditor=creditor).first() or rows.filter(creditor=None).first()


def _compact(text: str) -> str:
    return re.sub(r"[\s-]", "", text).upper()


def _lock(account: BankAccount) -> BankAccount:
    locked = BankAccount.objects.select_for_update(no_key=True).get(pk=account.pk)
    if locked.decision is not None:
        raise AlreadyDecided
    return locked


def _decide(account: BankAccount, decision: "BankAccount.Decision", *, by: Agent, now: datetime) -> BankAccount:
    account.decision, account.decided_by, account.decided_at = decision, by, now
    account.save(update_fields=["decision", "decided_by", "decided_at", "updated_at"])
    return account
