"""After a restore from a backup: see that nothing goes twice."""

import csv
import os
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from communications.providers import registry
from communications.providers.base import SentRecord
from communications.recovery import provider_records, restores
from communications.recovery.restores import Report
from ddc.common.days import agency_today
from ddc.common.errors import DomainError
from ddc.common.process import running
from payments.models import IdempotencyKey
from portal import recovery as sign_ins
from strategy import recovery as strategy

_SHOWN = 20


def moment(text: str) -> datetime:
    """Read a time with its offset from UTC, such as 2026-01-31T03:00:00Z."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"“{text}” is not a time. Use the form 2026-01-31T03:00:00Z.") from error
    if found.tzinfo is None:
        raise ArgumentTypeError(f"“{text}” has no offset from UTC. Use the form 2026-01-31T03:00:00Z.")
    return found


class Command(BaseCommand):
    help = (
        "Run this once after a restore from a backup, before any worker starts. Messages that may have gone since the dump are "
        "looked up at the provider or turn uncertain, and strategy rules queue nothing for the days up to the crash."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--dump-taken-at",
            type=moment,
            required=True,
            metavar="TIME",
            help="when the dump began, such as 2026-01-31T03:00:00Z; `pg_restore --list` prints it",
        )
        parser.add_argument(
            "--stopped-at",
            type=moment,
            metavar="TIME",
            help="when the lost database stopped at the latest; default: now",
        )
        parser.add_argument("--dry-run", action="store_true", help="print the report, and write nothing")
        parser.add_argument(
            "--without-provider",
            action="store_true",
            help="do not ask the provider of text messages and calls: all that may have gone turn uncertain",
        )
        parser.add_argument("--output", metavar="FILE.csv", help="write what a person must check to this file")

    def handle(self, **options: Any) -> None:
        now = timezone.now()
        taken, stopped = options["dump_taken_at"], options["stopped_at"] or now
        try:
            restores.check(dump_taken_at=taken, stopped_at=stopped, now=now)
        except DomainError as refusal:
            raise CommandError(refusal.message) from refusal
        if found := running.found():
            raise CommandError(
                f"The site is running ({'; '.join(found)}). Stop the web server, all workers and beat, and close other "
                "connections: docker compose stop web worker fast-worker beat"
            )
        records = None if options["without_provider"] else self._records(since=taken)
        with transaction.atomic():
            due = strategy.due(now=stopped)
            report = restores.recover(dump_taken_at=taken, stopped_at=stopped, records=records, now=now)
            ended = sign_ins.end_sign_ins(now=now), strategy.end_unfinished_runs(now=now)
            if options["dry_run"]:
                transaction.set_rollback(True)
        self._print(report, due, *ended, dry_run=options["dry_run"])
        if options["output"]:
            self._write(report, due, options["output"])

    def _records(self, *, since: datetime) -> Sequence[SentRecord] | None:
        provider = registry.configured()
        try:
            records = provider_records.fetch(provider, since=since)
        except Exception as error:
            raise CommandError(
                f"The provider {provider.name} does not answer ({type(error).__name__}). Try again, or use --without-provider: "
                "then its messages turn uncertain."
            ) from error
        if records is None:
            self.stdout.write(f"The provider {provider.name} keeps no records.")
        else:
            self.stdout.write(f"The provider {provider.name} has {len(records)} messages and calls since then.")
        return records

    def _print(self, report: Report, due: dict[str, int], codes: int, runs: int, *, dry_run: bool) -> None:
        say = self.stdout.write
        say(f"Dump taken at {report.dump_taken_at.isoformat()}; stopped at {report.stopped_at.isoformat()}.")
        if report.newest_row:
            say(f"Newest message or callback: {report.newest_row.isoformat(timespec='seconds')}.")
        if report.is_repeated:
            say("This restore has been handled before.")
        for (channel, outcome), count in sorted(report.counts.items()):
            say(f"{channel.value}: {count} {outcome.value}")
        say(
            f"Waiting callbacks processed: {report.callbacks}. Open sign-ins ended: {codes}. Strategy runs ended: {runs}."
        )
        say(f"Idempotency keys kept: {IdempotencyKey.objects.count()}. Their payments are in the dump.")
        say(f"Strategy: rules queue nothing for days up to {agency_today(report.stopped_at)}.")
        rows = list(self._to_check(report, due))
        if rows:
            say("To be checked by a person:")
        for row in rows[:_SHOWN]:
            say(f"  {' '.join(row)}")
        if len(rows) > _SHOWN:
            say(f"  … and {len(rows) - _SHOWN} more; --output FILE.csv writes them all.")
        if report.open_call_tasks:
            say(f"  {report.open_call_tasks} open call tasks: calls made since the dump are not recorded.")
        if dry_run:
            say("Dry run: nothing was written.")

    def _to_check(self, report: Report, due: dict[str, int], *, in_full: bool = False) -> Iterator[tuple[str, ...]]:
        """Yield what to check: kind, channel, id, and with ``in_full`` personal data too, which the screen must not show."""
        for message in report.uncertain:
            yield "uncertain", message.communication_type, str(message.pk), f"debtor {message.debtor_id}"
        for record in report.unknown:
            to = f"to {record.address} at {record.at.isoformat()}" if in_full else f"at {record.at.isoformat()}"
            yield "sent by the lost database", record.channel.value, record.provider_message_id, to
        for name, count in due.items():
            yield "strategy rule", "", name, f"{count} debts are due, and get no message"

    def _write(self, report: Report, due: dict[str, int], path: str) -> None:
        def opener(path: str, flags: int) -> int:
            return os.open(path, flags, 0o600)

        try:
            with open(path, "w", encoding="utf-8", newline="", opener=opener) as file:
                writer = csv.writer(file)
                writer.writerow(["what", "channel", "id", "details"])
                writer.writerows(self._to_check(report, due, in_full=True))
        except OSError as error:
            raise CommandError(f"{path} can't be written: {error.strerror}.") from error
