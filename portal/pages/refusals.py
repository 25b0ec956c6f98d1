"""Refusals of domain functions that debtors can meet, in the words of the pages.

A domain function explains a refusal in English. Where a debtor can meet it, its class is named here with words that can be
translated; any other refusal gets a general sentence in languages other than English.
"""

from collections.abc import Mapping

from django.utils import translation
from django.utils.translation import gettext, gettext_lazy

from arrangements import changes, computation, schedules
from arrangements import decisions as arrangement_decisions
from casework import documents, support
from collection import deferrals, disputes
from contact import preferences
from ddc.common import money
from ddc.common.errors import DomainError, Duplicate, TooMany
from debtors import emails, phones
from payments import intents, payable
from payments.providers.base import ProviderDown
from portal import address_changes, budgets, otp, questions

WORDS: Mapping[type[DomainError], object] = {
    TooMany: gettext_lazy("There were too many tries. Please wait a while, then try again, or contact us."),
    phones.InvalidPhone: gettext_lazy(
        "This is not a phone number that we understand. Check it, or begin with + and the country."
    ),
    emails.InvalidEmail: gettext_lazy("This is not a valid e-mail address."),
    otp.MalformedCode: gettext_lazy("The code has 4 to 8 digits."),
    otp.WrongCode: gettext_lazy("The code is wrong or no longer valid. Please ask for a new one."),
    questions.WrongAnswer: gettext_lazy("That is not what we have on file. Please check it and try again."),
    questions.QuestionEnded: gettext_lazy("This sign-in has ended. Please start again, or contact us."),
    deferrals.DebtOfAnotherDebtor: gettext_lazy("This debt does not exist."),
    deferrals.DebtNotOpen: gettext_lazy("This debt is closed; there is nothing to pay later."),
    deferrals.AlreadyPending: gettext_lazy(
        "You have asked for more time for this debt already. Please wait for our answer."
    ),
    computation.DebtIsDisputed: gettext_lazy("This debt is disputed. We answer the dispute first."),
    computation.TotalOutOfRange: gettext_lazy("The total is more than 0 and at most the open balance."),
    computation.StartsInPast: gettext_lazy("The first payment is due today or later."),
    schedules.AmountTooSmall: gettext_lazy("This amount is too small for a plan."),
    changes.DelayOutOfRange: gettext_lazy("The new day must be after the agreed one, and not after the next payment."),
    changes.DelayTooLong: gettext_lazy("This payment cannot be moved that far. Please contact us."),
    changes.InstalmentIsPaid: gettext_lazy("This payment is made already."),
    arrangement_decisions.WrongStatus: gettext_lazy("This plan has changed in the meantime. Please look at it again."),
    disputes.DebtNotOpen: gettext_lazy("This debt is closed; there is nothing to dispute."),
    disputes.PortionExceedsBalance: gettext_lazy("This is more than you owe. Please enter a smaller amount."),
    money.BadAmount: gettext_lazy("Please enter an amount, such as 20.50."),
    documents.FileRequired: gettext_lazy("This file is empty. Please choose another one."),
    documents.FileTooLarge: gettext_lazy("This file is too large. Please choose one of at most 10 MB."),
    documents.UnknownFile: gettext_lazy("We cannot read this file. Choose a PDF, or a photo as JPEG, PNG or WebP."),
    documents.FileRefused: gettext_lazy("Our check refused this file. Please choose another one."),
    support.AlreadyAsked: gettext_lazy("You have told us already. You find our answer here."),
    address_changes.SameAddress: gettext_lazy("We have this address already."),
    address_changes.WrongCode: gettext_lazy("The code is wrong or no longer valid. Please ask for a new one."),
    Duplicate: gettext_lazy("This address cannot be used. Please contact us."),
    preferences.NeverAllowed: gettext_lazy("At these times we may not reach you where you live. Please choose others."),
    budgets.AmountTooLarge: gettext_lazy("This amount is too large. Enter the amount of one month."),
    payable.NothingToPay: gettext_lazy("There is nothing to pay on this debt now."),
    payable.NotPayable: gettext_lazy("This amount is too small or too large. Please check it."),
    intents.NoProvider: gettext_lazy("You cannot pay by card here. Please pay by bank transfer."),
    intents.UnderWay: gettext_lazy(
        "You started this payment a moment ago. Please wait ten minutes before you try again."
    ),
    ProviderDown: gettext_lazy("The card page cannot be reached now. Nothing was paid. Please try again later."),
    disputes.AlreadyDisputed: gettext_lazy("You have disputed this debt already. Please wait for our answer."),
}


def translated(error: DomainError) -> str:
    """Return the words of a refusal in the page's language."""
    for kind in type(error).__mro__:
        if words := WORDS.get(kind):
            return str(words)
    if translation.get_language() == "en":
        return error.message
    return gettext("That is not possible. Please check what you entered, or contact us.")
