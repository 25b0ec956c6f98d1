"""Django's PostgreSQL backend, for web servers that must not wait for a server that hangs.

PostgreSQL's own time-outs are its own: one that is stopped, or whose host is gone, keeps none. So a process that asks for signs
of life (``ASKS_FOR_LIFE`` in DATABASES) looks for one whenever an answer is a while in coming, and gives up where there is none.
Workers and commands wait: what they have in hand goes on when the server does.
"""

import select
import threading
import time
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg.errors import _WaitTimeout
from psycopg.pq import ConnStatus

from ddc.common.postgresql import outage

#: How long an answer may take before anybody wonders.
PATIENCE_SECONDS = 0.7
#: Longer than any statement's time-out: then it is this one connection that hangs.
LIMIT_SECONDS = 20.0
_WORDS = "the server does not answer"


class WatchedConnection(psycopg.Connection[Any]):
    """A connection that gives up on a server without a sign of life."""

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Drive an operation to its end, as psycopg does.

        :raises OperationalError: if the server hangs; the connection is closed then
        """
        began = time.monotonic()
        while True:
            try:
                # After a time-out the operation stands where it stood, and can be waited for again.
                return super().wait(gen, interval, timeout=PATIENCE_SECONDS if timeout is None else timeout)
            except _WaitTimeout:
                if timeout is not None:
                    raise
                if time.monotonic() - began < LIMIT_SECONDS and not outage.hangs(self.info.host, self.info.port):
                    continue
                outage.note()
                self.close()
                raise psycopg.OperationalError(_WORDS) from None


class _Closing:
    """Closes a connection when it goes itself."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def __del__(self) -> None:
        self._connection.close()


#: Each thread's connections, by alias. The web server ends a thread that has had nothing to do for a while, and Django's own are
#: open until garbage is collected: places taken at the server by nobody.
_of_thread = threading.local()


class _Driver:
    """psycopg, with connections that are watched."""

    connect = staticmethod(WatchedConnection.connect)

    def __getattr__(self, name: str) -> Any:
        return getattr(psycopg, name)


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's own, but for how it connects."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.is_watched = bool(self.settings_dict.get("ASKS_FOR_LIFE"))
        if self.is_watched:
            self.Database = _Driver()

    def is_usable(self) -> bool:
        """Tell whether the connection lives, before each request.

        A server that ended has closed its side, which shows here. Where there is nothing to hear, asking would cost as much as
        many a request does.
        """
        if self.connection is not None and self.connection.pgconn.status == ConnStatus.OK:
            listening = select.poll()
            listening.register(self.connection.pgconn.socket, select.POLLIN)
            if not listening.poll(0):
                return True
        return super().is_usable()

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Connect, unless the server is found hanging first: a connection that doesn't come takes seconds."""
        if self.is_watched:
            if outage.is_noted():
                raise psycopg.OperationalError(_WORDS)
            if outage.hangs(self.settings_dict["HOST"], self.settings_dict["PORT"]):
                outage.note()
                raise psycopg.OperationalError(_WORDS)
        connection = super().get_new_connection(conn_params)
        if self.is_watched:
            setattr(_of_thread, self.alias, _Closing(connection))
        return connection
