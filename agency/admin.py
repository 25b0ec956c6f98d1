"""The page on which a Supervisor sets the agency's values."""

import hashlib
import re
import zoneinfo
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldBooleanSwitchWidget,
)

from agency import colours, logos, profile
from agency.models import AgencyProfile
from ddc.common.admin.pages import BackOffice
from debtors import phones

_COLOUR = re.compile(r"#[0-9a-f]{6}", re.ASCII)
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")
_NAMES = {"UTC", *(name for name in zoneinfo.available_timezones() if "/" in name and not name.startswith("Etc/"))}


class LookForm(forms.ModelForm):  # type: ignore[type-arg]
    """The contact details and the look of the agency, or of a creditor in the portal."""

    new_logo = forms.FileField(
        label="Logo", required=False, widget=UnfoldAdminFileFieldWidget, help_text="PNG, JPEG or WebP, at most 500 KB."
    )
    remove_logo = forms.BooleanField(required=False, widget=UnfoldBooleanSwitchWidget)

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or self.cleaned_data
        for name in ("name", "address", "licence", "notice"):
            if _UNPRINTABLE.search(values.get(name) or ""):
                self.add_error(name, "Write it on one line.")
        return values

    def clean_phone(self) -> str:
        phone: str = self.cleaned_data["phone"].strip()
        if phone:
            try:
                phones.normalise(phone, None, field="phone")
            except phones.InvalidPhone as error:
                raise forms.ValidationError(error.message) from error
        return phone

    def clean_colour(self) -> str:
        colour: str = self.cleaned_data["colour"].strip().lower()
        if not colour:
            return ""
        if not _COLOUR.fullmatch(colour):
            raise forms.ValidationError("Enter a colour such as #0b5a8a.")
        contrast = colours.readable(colours.parse(colour))
        if contrast < colours.LEAST_CONTRAST:
            raise forms.ValidationError(
                f"This colour is too light: text in it, or white text on it, has a contrast of {contrast:.1f} to 1. "
                f"Choose a darker one, with at least {colours.LEAST_CONTRAST} to 1."
            )
        return colour

    def clean_new_logo(self) -> bytes | None:
        uploaded = self.cleaned_data["new_logo"]
        if not uploaded:
            return None
        try:
            return logos.read(uploaded.read(logos.MAX_BYTES + 1))
        except logos.BadLogo as error:
            raise forms.ValidationError(str(error)) from error

    def logo_values(self) -> dict[str, Any]:
        """Return the columns of the logo to store; none if it stays as it is."""
        if logo := self.cleaned_data["new_logo"]:
            return {"logo": logo, "logo_version": hashlib.sha256(logo).hexdigest()}
        return {"logo": None, "logo_version": ""} if self.cleaned_data["remove_logo"] else {}


class AgencyForm(LookForm):
    """The agency's values. An empty field shows which value of the environment holds."""

    class Meta:
        model = AgencyProfile
        fields = ("name", "address", "phone", "email", "hours", "licence", "notice", "time_zone", "colour")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        defaults = profile.of_environment()
        for name, field in self.fields.items():
            if name in defaults:
                field.required = False
                holds = defaults[name] or ("the colour of the theme" if name == "colour" else "nothing")
                field.help_text = f"{field.help_text} Empty: {holds}.".strip()
        choices = [("", "—"), *((name, name.replace("_", " ")) for name in sorted(_NAMES))]
        if "time_zone" in self.fields:
            self.fields["time_zone"] = forms.ChoiceField(
                choices=choices,
                required=False,
                widget=UnfoldAdminSelectWidget(),
                help_text=f"By its clock the daily run starts and days end. Empty: {defaults['time_zone']}.",
            )


@admin.register(AgencyProfile)
class AgencyAdmin(BackOffice):
    """One page, with the only row: there is no list."""

    form = AgencyForm
    readonly_fields = ("present_logo",)
    fieldsets = (
        ("Name and contact details", {"fields": ("name", "address", ("phone", "email"), "time_zone")}),
        ("At the foot of the portal", {"fields": ("hours", "licence", "notice")}),
        ("Look", {"fields": ("colour", "present_logo", "new_logo", "remove_logo")}),
    )

    @admin.display(description="Present logo")
    def present_logo(self, row: AgencyProfile) -> str:
        url = profile.current().logo_url
        return format_html('<img src="{}" alt="The agency\'s logo" class="h-10">', url) if url else "None"

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:agency_agencyprofile_change", args=[1]))

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> AgencyProfile | None:
        if object_id != "1":
            return None
        return AgencyProfile.objects.defer("logo").filter(pk=1).first() or AgencyProfile()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        values = {name: form.cleaned_data[name] for name in form.changed_data if name in AgencyForm.Meta.fields}
        profile.change(values | form.logo_values())

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        self.message_user(request, "Saved. Every page and message shows it within seconds.")
        return HttpResponseRedirect(request.path)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
