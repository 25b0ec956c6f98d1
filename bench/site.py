"""The web server that `make demo` starts, on the database of this run."""

import contextlib
import http.client
import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ddc.stack import process
from ddc.stack.demo import SITE


class Site:
    """A running web server."""

    def __init__(self, port: int, pid: int, token: str) -> None:
        self.port, self.pid = port, pid
        self.headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "Host": f"127.0.0.1:{port}",
        }

    def ask(self, path: str) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", path, headers=self.headers)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        if answer.status != 200:
            raise RuntimeError(f"GET {path}: {answer.status} {body[:300]!r}")
        return json.loads(body)

    def memory(self) -> list[int]:
        """Return the peak memory of each process in MiB."""
        found = []
        for pid in [self.pid, *_children(self.pid)]:
            with contextlib.suppress(OSError):
                status = Path(f"/proc/{pid}/status").read_text()
                found += [int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("VmHWM")]
        return sorted(found)


@contextlib.contextmanager
def started(token: str) -> Iterator[Site]:
    """Start the server, and stop it afterwards."""
    port = process.free_port()
    command = [part.replace("{port}", str(port)) for part in SITE.programs["web"]]
    server = subprocess.Popen(
        command, env={**os.environ, "PORT": str(port)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        site = Site(port, server.pid, token)
        for _ in range(300):
            with contextlib.suppress(OSError, http.client.HTTPException):
                site.ask("/debts?limit=1")
                break
            time.sleep(0.1)
        yield site
    finally:
        server.terminate()
        server.wait(20)


def _children(pid: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, IndexError):
                if int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1]) == pid:
                    found.append(int(entry.name))
    return found
