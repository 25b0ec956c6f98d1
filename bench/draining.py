"""Measure how fast workers send messages to an SMTP server on loopback, next to a bare loop over one connection."""

import multiprocessing
import smtplib
import socket
import socketserver
import time
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from communications.channels import email
from communications.models import CommunicationLog
from communications.sending import worker
from ddc.common.process import web_process

WORKERS = 2
#: Messages sent before the measurement, to load modules and prepare statements.
_WARM_UP = 500
#: Contact is allowed at this time in the countries of all debtors but Japan.
NOW = datetime(2026, 1, 15, 17, tzinfo=UTC)

_QUEUE = """
INSERT INTO communication_log (id, created_at, updated_at, debtor_id, debt_id, template_id, communication_type, due_at)
SELECT uuidv7(), %(now)s, %(now)s, debt.debtor_id, debt.id, template.id, 'email', %(now)s
FROM (
    SELECT DISTINCT ON (debtor_id) debt.* FROM debt JOIN debtor ON debtor.id = debt.debtor_id
    WHERE current_status = 'active' AND country_code <> 'JP' ORDER BY debtor_id, id LIMIT %(count)s
) AS debt
CROSS JOIN (SELECT id FROM communication_templates WHERE communication_type = 'email' ORDER BY name LIMIT 1) AS template
"""


class _Mailbox(socketserver.StreamRequestHandler):
    """Accepts every mail and stores none."""

    disable_nagle_algorithm = True

    def handle(self) -> None:
        self._reply("220 bench")
        while line := self.rfile.readline():
            word = line[:4].upper()
            if word == b"EHLO":
                self._reply("250-bench\r\n250-PIPELINING\r\n250 8BITMIME")
            elif word == b"DATA":
                self._reply("354 go on")
                while self.rfile.readline() not in (b".\r\n", b""):
                    pass
                self._reply("250 taken")
            elif word == b"QUIT":
                self._reply("221 bye")
                return
            else:
                self._reply("250 fine")

    def _reply(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")


def _serve(listening: socket.socket) -> None:
    server = socketserver.ThreadingTCPServer(listening.getsockname(), _Mailbox, bind_and_activate=False)
    server.socket.close()
    server.socket = listening
    server.daemon_threads = True
    server.serve_forever()


def measure(count: int) -> dict[str, Any]:
    """Send this many messages; return the rate, and the rate of a bare loop with the same mails."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = multiprocessing.get_context("fork").Process(target=_serve, args=(listening,), daemon=True)
        server.start()
        port = listening.getsockname()[1]
        settings.EMAIL_BACKEND = "communications.channels.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", port, 10
        try:
            queued, ended, ours = _drain_by(WORKERS, count)
            sent = CommunicationLog.objects.filter(created_at=NOW, status="sent").order_by("-sent_at")[: ended["sent"]]
            mails = [(log.address or "", email.as_file(log)) for log in sent]
            bare = _loop(port, mails)
        finally:
            server.terminate()
    return {"queued": queued, "ended": dict(ended), "ours": len(mails) / ours, "bare": len(mails) / bare}


def _drain_by(workers: int, count: int) -> tuple[int, Counter[str], float]:
    """Drain messages with several processes; return how many were queued, the outcomes, and the seconds."""
    connection.close()
    with multiprocessing.get_context("fork").Pool(workers, initializer=web_process.freeze_heap) as pool:
        queue(_WARM_UP)
        pool.map(_drain, range(workers), chunksize=1)
        queued = queue(count)
        began = time.perf_counter()
        ended = pool.map(_drain, range(workers), chunksize=1)
        return queued, sum(ended, Counter()), time.perf_counter() - began


def queue(count: int) -> int:
    """Queue an e-mail to each of so many debtors; return how many."""
    with connection.cursor() as cursor:
        cursor.execute(_QUEUE, {"now": NOW, "count": count})
        return cursor.rowcount


def _drain(_: int) -> Counter[str]:
    began = timezone.now()
    return worker.drain(clock=lambda: NOW + (timezone.now() - began)).statuses


def _loop(port: int, mails: list[tuple[str, bytes]]) -> float:
    """Send mails with the standard library; return the seconds."""
    began = time.perf_counter()
    with smtplib.SMTP("127.0.0.1", port) as client:
        for address, mail in mails:
            client.sendmail("collections@example.com", [address], mail)
    return time.perf_counter() - began
