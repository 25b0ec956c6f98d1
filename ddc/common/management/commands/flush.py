"""Django's ``flush`` as the owner of the tables, because the product's role has no TRUNCATE."""

from django.core.management.commands import flush

from ddc.common.postgresql.owner import OwnerCommand


class Command(OwnerCommand, flush.Command):
    pass
