"""A template with the values of a real person, in each language, and a test message to the agent's own address."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.mail import EmailMultiAlternatives
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.timezone import now
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from collection import search
from collection.models import Debt
from communications.admin.text import as_written, framed
from communications.models import CommunicationTemplate
from communications.outbox import outbox
from communications.sending import batches, writing
from communications.texts import required_lines, sms
from communications.texts.composition import Text
from ddc.common.admin.editing import DomainAdmin
from ddc.common.reference import languages
from debtors.channels import Channel
from debtors.models import Debtor

_MOST_FOUND = 20


class PersonForm(forms.Form):
    """Choose the person for the preview."""

    q = forms.CharField(label="Person", required=False, max_length=200, widget=UnfoldAdminTextInputWidget())
    debtor = forms.ChoiceField(label="Found", required=False, widget=UnfoldAdminSelectWidget())

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        text = (data.get("q") or "").replace("\0", "").strip()
        rows = Debtor.objects.filter(pk__in=search.debtors(text)) if text else Debtor.objects.all()
        self.found = list(rows.order_by("-created_at", "-id")[:_MOST_FOUND])
        field: Any = self.fields["debtor"]
        field.choices = [(str(debtor.pk), str(debtor)) for debtor in self.found]

    @property
    def chosen(self) -> Debtor | None:
        """The person that was chosen among those found, else the first of them."""
        wanted = self.data.get("debtor")
        return next((one for one in self.found if str(one.pk) == wanted), next(iter(self.found), None))


@dataclass(frozen=True)
class Variant:
    """One language of the template, written for a person."""

    template: CommunicationTemplate
    text: Text
    problem: str
    missing: list[str]

    @property
    def language(self) -> str:
        return languages.name(self.template.language)

    @property
    def shown(self) -> Any:
        return framed(self.text.html) if self.text.html else as_written(self.text.body)

    @property
    def parts(self) -> sms.Parts | None:
        return sms.parts(self.text.body) if self.template.communication_type == Channel.SMS else None


def page(admin: DomainAdmin, request: HttpRequest, object_id: str) -> HttpResponse:
    """Show the template's variants; send one of them to the agent if that was asked for."""
    template = admin.one(request, object_id)
    form = PersonForm(request.GET)
    debtor = form.chosen
    variants = _variants(template, debtor) if debtor else []
    agent: Any = request.user
    if request.method == "POST":
        one = next((each for each in variants if str(each.template.pk) == request.POST.get("variant")), None)
        if one is not None:
            _send_test(admin, request, one)
        return HttpResponseRedirect(request.get_full_path())
    context = {
        **admin.admin_site.each_context(request),
        "title": f"Preview of {template.name}",
        "opts": admin.opts,
        "template": template,
        "form": form,
        "debtor": debtor,
        "variants": variants,
        "to": agent.email,
        "back": admin.page_of(template.pk),
    }
    return TemplateResponse(request, "communications/template_preview.html", context)


def _variants(template: CommunicationTemplate, debtor: Debtor) -> list[Variant]:
    same = CommunicationTemplate.objects.filter(name=template.name, communication_type=template.communication_type)
    rows = sorted(same, key=lambda one: (one.pk != template.pk, one.language))
    debt = Debt.objects.open().filter(debtor=debtor).select_related("creditor", "debtor").order_by("due_date").first()
    # A template that is not active yet is shown as well.
    drafts = [
        outbox.new(
            debtor=debtor,
            debt=debt,
            channel=one.communication_type,
            subject=one.subject,
            body=one.body,
            draft={"subject": one.subject, "body": one.body, "language": one.language},
        )
        for one in rows
    ]
    found = []
    for one, message, source in zip(rows, drafts, batches.sources(drafts, now=now()), strict=True):
        assert source is not None
        text, problem = writing.compose(message, None, source.values)
        missing = required_lines.missing(one.body, channel=one.communication_type)
        found.append(Variant(one, text, (problem or "").partition(": ")[2], missing))
    return found


def _send_test(admin: DomainAdmin, request: HttpRequest, variant: Variant) -> None:
    """Mail a variant to the agent who is signed in, never to a debtor. A text message comes as a mail, too."""
    agent: Any = request.user
    if not agent.has_perm("communications.send_communicationtemplate") or not agent.email:
        admin.message_user(
            request, "Your account has no e-mail address, or you may not send templates.", messages.ERROR
        )
        return
    subject = f"Test: {variant.text.subject or variant.template.name}"
    mail = EmailMultiAlternatives(subject, variant.text.body, settings.DEFAULT_FROM_EMAIL, [agent.email])
    if variant.text.html:
        mail.attach_alternative(variant.text.html, "text/html")
    try:
        mail.send()
    except Exception as error:  # Any backend has errors of its own; nothing depends on this mail.
        admin.message_user(request, f"The test was not sent: {type(error).__name__}.", messages.ERROR)
    else:
        admin.message_user(request, f"The test is sent to {agent.email}.", messages.SUCCESS)
