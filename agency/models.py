"""The agency's own data, as set in the back office."""

from django.db import models
from django.db.models import Q


class AgencyProfile(models.Model):
    """The agency's values, in one row. An empty value stands for that of the environment.

    Read them by ``agency.profile.current``, which puts both together.
    """

    id = models.SmallIntegerField(primary_key=True, default=1, editable=False)
    name = models.CharField(max_length=60, blank=True)
    address = models.CharField("postal address", max_length=200, blank=True)
    phone = models.CharField(max_length=30, blank=True)
    email = models.EmailField("e-mail address", max_length=120, blank=True)
    hours = models.CharField("hours of the phone", max_length=200, blank=True, default="", help_text="In the portal.")
    licence = models.CharField(
        max_length=300,
        blank=True,
        default="",
        help_text="At the foot of the portal: who supervises the agency, and the number.",
    )
    notice = models.CharField(
        max_length=1000, blank=True, default="", help_text="At the foot of the portal's pages, after the sign-in."
    )
    time_zone = models.CharField(max_length=60, blank=True, help_text="An IANA name, such as Europe/London.")
    colour = models.CharField(max_length=7, blank=True, help_text="The main colour of all pages, such as #0b5a8a.")
    logo = models.BinaryField(null=True, editable=False, help_text="A PNG image.")
    logo_version = models.CharField("logo", max_length=64, blank=True, editable=False, help_text="The image's SHA-256.")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "agency_profile"
        verbose_name = verbose_name_plural = "agency"
        constraints = [models.CheckConstraint(condition=Q(id=1), name="agency_profile_is_one_row")]

    def __str__(self) -> str:
        return "Agency"
