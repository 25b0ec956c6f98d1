"""What a debtor typed into a form after the sign-in had expired.

The browser keeps it, in hidden fields of the pages that sign the debtor in again: the server stores nothing for strangers.
"""

from collections.abc import Mapping

from django.http import HttpRequest

from portal.forms import DebtForm, DeferralForm, DisputeForm

_PREFIX = "draft-"
_KIND = f"{_PREFIX}form"
_KINDS: dict[str, type[DebtForm]] = {"deferral": DeferralForm, "dispute": DisputeForm}
#: No field of these forms takes more.
_LENGTH = 1_000


def of_form(request: HttpRequest, kind: type[DebtForm]) -> dict[str, str]:
    """Return the hidden fields that keep the input of a form."""
    (name,) = (name for name, known in _KINDS.items() if known is kind)
    typed = {f"{_PREFIX}{field}": request.POST.get(field, "")[:_LENGTH] for field in kind.base_fields}
    return {_KIND: name, **typed}


def carried(request: HttpRequest) -> dict[str, str]:
    """Return the hidden fields that this request carries on; empty if there are none."""
    kind = _KINDS.get(request.POST.get(_KIND, ""))
    if kind is None:
        return {}
    names = [_KIND, *(f"{_PREFIX}{field}" for field in kind.base_fields)]
    return {name: request.POST.get(name, "")[:_LENGTH] for name in names}


def form_of(draft: Mapping[str, str]) -> tuple[type[DebtForm], dict[str, str]] | None:
    """Return the form of a draft and its input; None for no draft."""
    kind = _KINDS.get(draft.get(_KIND, ""))
    return (kind, {name.removeprefix(_PREFIX): value for name, value in draft.items()}) if kind else None
