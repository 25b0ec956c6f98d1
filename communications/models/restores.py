"""The restores of the database from a backup."""

from django.db import models


class DatabaseRestore(models.Model):
    """A restore that ``after_restore`` has handled: between these times, work was done that this database does not know.

    Strategy rules queue nothing for a day up to ``stopped_at``.
    """

    dump_taken_at = models.DateTimeField(unique=True)
    stopped_at = models.DateTimeField(help_text="When the lost database stopped.")
    handled_at = models.DateTimeField()

    class Meta:
        db_table = "database_restore"

    def __str__(self) -> str:
        return f"Restore of the dump of {self.dump_taken_at:%Y-%m-%d %H:%M}"
