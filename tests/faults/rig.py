"""The whole site as processes, with parts that can be broken one by one."""

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from ddc.stack import account, health, process, web
from ddc.stack.demo import CHECKOUT
from ddc.stack.postgres import Postgres
from ddc.stack.valkey import Valkey
from tests.standins.smtp import SmtpStandIn
from tests.standins.twilio import ACCOUNT, NUMBER, TOKEN, TwilioStandIn

_CELERY = (sys.executable, "-m", "celery", "-A", "ddc")
_QUIET = ("-l", "INFO", "--without-mingle", "--without-gossip")


class Rig:
    """Durable PostgreSQL, Valkey, web server, workers, beat, and stand-ins for the providers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        runner = account.for_servers()
        (folder / "valkey").mkdir(mode=0o711)
        account.chown(folder / "valkey", runner)
        self.postgres = Postgres(folder, account=runner, log=folder / "postgres.log")
        self.valkey = Valkey(folder / "valkey", account=runner, log=folder / "valkey.log")
        self.smtp, self.twilio = SmtpStandIn(), TwilioStandIn()
        self.port = process.free_port()
        self.running: dict[str, process.Process] = {}

    @contextlib.contextmanager
    def up(self) -> Iterator["Rig"]:
        """Start everything, and end it."""
        with contextlib.ExitStack() as stack:
            stack.callback(self._end)
            self.start_postgres()
            self.start_valkey()
            self.smtp.__enter__()
            stack.callback(lambda: self.smtp.controller.stop())
            stack.enter_context(self.twilio)
            self.env = self._environment()
            os.environ.update(self.env)
            subprocess.run([sys.executable, "manage.py", "migrate", "-v", "0"], env=self.env, cwd=CHECKOUT, check=True)
            self.start_programs()
            yield self

    def start_programs(self) -> None:
        for name in ("web", "worker", "fast", "beat"):
            self.start_program(name)

    def start_program(self, name: str) -> None:
        commands = {
            "web": web.command(port=self.port, workers=2),
            "worker": (*_CELERY, "worker", "-Q", "ddc", "-n", "ddc@%h", "-c", "3", *_QUIET),
            "fast": (*_CELERY, "worker", "-Q", "fast", "-n", "fast@%h", "-c", "2", *_QUIET),
            "beat": (*_CELERY, "beat", "-S", "celery.beat:Scheduler", "-l", "INFO"),
        }
        self._start(name, *commands[name])

    def start_worker_with_clock(self, name: str, seconds: int) -> None:
        """Start a worker with a clock that is ahead or behind by ``seconds``."""
        jump = (sys.executable, "-m", "tests.faults.jumped", str(seconds))
        self._start(name, *jump, "-A", "ddc", "worker", "-Q", "ddc", "-n", f"{name}@%h", "-c", "1", *_QUIET)

    def stop(self, *names: str) -> None:
        for name in names:
            process.stop(self.running.pop(name), grace=15)

    def start_postgres(self) -> None:
        self.running["postgres"] = self.postgres.start()

    def stop_postgres(self) -> None:
        process.stop(self.running["postgres"], by=signal.SIGINT, grace=20)

    def kill_postgres(self) -> None:
        """Kill all its processes at once, as when the machine runs out of memory."""
        self.signal_postgres(signal.SIGKILL)
        self.running["postgres"].wait()

    def signal_postgres(self, number: signal.Signals) -> None:
        for pid in self.postgres.server_processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def start_valkey(self) -> None:
        self.running["valkey"] = self.valkey.start()

    def stop_valkey(self) -> None:
        self.running["valkey"].kill()
        self.running["valkey"].wait()

    def is_well(self) -> bool:
        """Return whether /health is fine."""
        return not health.problem(self.port, f"http://127.0.0.1:{self.port}")

    def keep_logs(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        for log in self.folder.glob("*.log"):
            shutil.copy(log, folder)

    def _start(self, name: str, *command: str) -> None:
        self.running[name] = process.spawn(command, env=self.env, cwd=CHECKOUT, log=self.folder / f"{name}.log")

    def _end(self) -> None:
        grounds = ("postgres", "valkey")
        for name in [*(name for name in self.running if name not in grounds), "valkey", "postgres"]:
            if child := self.running.get(name):
                child.send_signal(signal.SIGCONT)
                process.stop(child, by=signal.SIGINT if name == "postgres" else signal.SIGTERM, grace=10)

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            **{name: secrets.token_urlsafe(48) for name in ("SECRET_KEY", "DEBTOR_TOKEN_KEY", "OTP_KEY")},
            "DJANGO_SETTINGS_MODULE": "ddc.settings",
            "DATABASE_URL": self.postgres.url,
            "MIGRATION_DATABASE_URL": self.postgres.owner_url,
            "REDIS_URL": self.valkey.url,
            "PUBLIC_URL": f"http://127.0.0.1:{self.port}",
            "METRICS_TOKEN": "of-the-faults",
            "EMAIL_URL": f"smtp://127.0.0.1:{self.smtp.port}",
            "SMS_BACKEND": "twilio",
            "TWILIO_ACCOUNT_SID": ACCOUNT,
            "TWILIO_AUTH_TOKEN": TOKEN,
            "TWILIO_FROM_NUMBER": NUMBER,
            "TWILIO_API_URL": self.twilio.url,
            "CONTACT_WINDOW": "00:00-23:59",
            "OTP_PER_ADDRESS": "100000",
            "PYTHONUNBUFFERED": "1",
        }


@contextlib.contextmanager
def silent_server(port: int) -> Iterator[None]:
    """Accept connections on a port and never answer."""
    with socket.create_server(("127.0.0.1", port)) as server:
        taken: list[socket.socket] = []

        def take() -> None:
            with contextlib.suppress(OSError):
                while True:
                    taken.append(server.accept()[0])

        threading.Thread(target=take, daemon=True).start()
        yield
        server.shutdown(socket.SHUT_RDWR)
    for connection in taken:
        connection.close()


@contextlib.contextmanager
def mounted(folder: Path) -> Iterator[None]:
    """Mount a small disk."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400m,mode=755", "tmpfs", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=False)


def wait_until(true: Callable[[], object], *, seconds: float) -> float:
    """Wait until the condition holds, at most ``seconds``. Return the time that it took."""
    began = time.monotonic()
    while not true() and time.monotonic() - began < seconds:
        time.sleep(0.1)
    return time.monotonic() - began
