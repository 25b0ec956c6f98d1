"""Requests from many clients at once: by wrk, or by slower threads of Python where wrk is not installed."""

import http.client
import json
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

CLIENTS = 16
_SCRIPT = Path(__file__).with_name("wrk.lua")
Request = tuple[str, str, str]


@dataclass(frozen=True)
class Measured:
    """Requests per second, and their times in milliseconds."""

    per_second: float
    p50: float
    p99: float
    bad: int


def tool() -> str:
    return (
        "wrk"
        if shutil.which("wrk")
        else "threads of Python (install wrk: these figures are lower than the server's limit)"
    )


def measure(port: int, requests: Sequence[Request], headers: dict[str, str], seconds: float) -> Measured:
    """Send these requests repeatedly from 16 connections."""
    return (_by_wrk if shutil.which("wrk") else _by_threads)(port, requests, headers, seconds)


def _by_wrk(port: int, requests: Sequence[Request], headers: dict[str, str], seconds: float) -> Measured:
    with tempfile.TemporaryDirectory() as folder:
        asked, sent = Path(folder, "requests"), Path(folder, "headers")
        asked.write_text("".join("\t".join(request) + "\n" for request in requests))
        sent.write_text("".join(f"{name}: {value}\n" for name, value in headers.items()))
        command = ["wrk", "-t1", f"-c{CLIENTS}", f"-d{max(1, round(seconds))}s", "--timeout", "30s", "-s", str(_SCRIPT)]
        done = subprocess.run(
            [*command, f"http://127.0.0.1:{port}", "--", str(asked), str(sent)],
            capture_output=True,
            text=True,
            check=True,
        )
    found = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("{")))
    return Measured(found["count"] / found["seconds"], found["p50"], found["p99"], found["bad"])


def _by_threads(port: int, requests: Sequence[Request], headers: dict[str, str], seconds: float) -> Measured:
    times: list[float] = []
    bad = [0]
    end = time.perf_counter() + seconds

    def client(first: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        number = first
        while time.perf_counter() < end:
            method, path, body = requests[number % len(requests)]
            number += CLIENTS
            began = time.perf_counter()
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            answer.read()
            times.append(time.perf_counter() - began)
            bad[0] += answer.status >= 400
        connection.close()

    threads = [threading.Thread(target=client, args=(n,)) for n in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    times.sort()
    p50, p99 = (times[min(int(len(times) * part), len(times) - 1)] * 1000 for part in (0.5, 0.99))
    return Measured(len(times) / seconds, p50, p99, bad[0])
