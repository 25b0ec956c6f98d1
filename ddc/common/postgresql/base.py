"""Django's PostgreSQL backend, for web servers that must not wait for a database server that hangs.

libpq's and PostgreSQL's own time-outs (``ddc/settings.py``) end connections to a lost host, slow statements and idle
transactions. None of them ends the wait for a server whose processes are stopped: its kernel still answers on the network. With
``DETECT_HANGS`` in DATABASES, a connection that waits for an answer probes the server, and fails if the server hangs. Workers and
commands do not set it: they wait, and go on when the server does.
"""

import select
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg.errors import _WaitTimeout
from psycopg.pq import ConnStatus

from ddc.common.postgresql import outage, recorded

#: How long an answer may take before the server is probed.
PROBE_AFTER_SECONDS = 0.7
_MESSAGE = "the server does not answer"


class HangDetectingConnection(psycopg.Connection[Any]):
    """A connection that fails when the server hangs."""

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for an operation, as psycopg does.

        :raises OperationalError: if the server hangs; the connection is closed then
        """
        while True:
            try:
                # After a time-out the operation can be waited for again.
                return super().wait(gen, interval, timeout=PROBE_AFTER_SECONDS if timeout is None else timeout)
            except _WaitTimeout:
                if timeout is not None:
                    raise
                if not outage.is_hanging(self.info.host, self.info.port):
                    continue
                outage.remember()
                self.close()
                raise psycopg.OperationalError(_MESSAGE) from None


class _Driver:
    """psycopg, with connections that detect hangs."""

    connect = staticmethod(HangDetectingConnection.connect)

    def __getattr__(self, name: str) -> Any:
        return getattr(psycopg, name)


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's backend with another way to connect and to check a connection."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._detects_hangs = bool(self.settings_dict.get("DETECT_HANGS"))
        if self._detects_hangs:
            self.Database = _Driver()
        #: The actor of ``recorded`` that PostgreSQL knows in this transaction; None if that is uncertain.
        self.announced_actor: str | None = ""
        self.execute_wrappers.append(recorded.announce)

    def _commit(self) -> None:
        super()._commit()  # type: ignore[misc]
        self.announced_actor = ""

    def _rollback(self) -> None:
        super()._rollback()  # type: ignore[misc]
        self.announced_actor = ""

    def _savepoint_rollback(self, sid: str) -> None:
        super()._savepoint_rollback(sid)  # type: ignore[misc]
        self.announced_actor = None

    def is_usable(self) -> bool:
        """Return whether the connection is open, before each request.

        A server that ended has closed its side, which shows at the socket. A query would cost a large part of a fast read.
        """
        if self.connection is not None and self.connection.pgconn.status == ConnStatus.OK:
            readable = select.poll()
            readable.register(self.connection.pgconn.socket, select.POLLIN)
            if not readable.poll(0):
                return True
        return super().is_usable()

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Connect, or fail at once if the server hangs: ``connect_timeout`` takes seconds."""
        self.announced_actor = ""
        if self._detects_hangs:
            if outage.is_remembered():
                raise psycopg.OperationalError(_MESSAGE)
            if outage.is_hanging(self.settings_dict["HOST"], self.settings_dict["PORT"]):
                outage.remember()
                raise psycopg.OperationalError(_MESSAGE)
        return super().get_new_connection(conn_params)
