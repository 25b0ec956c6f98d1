"""Bare SQL at the speed of this server: pgbench with as many clients as the web server gets."""

import os
import re
import subprocess
import tempfile
from pathlib import Path

from django.conf import settings

from bench.load import CLIENTS
from ddc.stack import binaries


def per_second(script: str, seconds: float) -> float:
    """Run a script of pgbench repeatedly with prepared statements; return the transactions per second."""
    database = settings.DATABASES["default"]
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(script + "\n")
        file.flush()
        command = [str(binaries.postgres() / "pgbench"), "-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "1"]
        done = subprocess.run(
            [*command, "-T", str(max(1, round(seconds))), "-f", file.name],
            env={
                **os.environ,
                "PGHOST": database["HOST"],
                "PGPORT": str(database["PORT"]),
                "PGUSER": database["USER"],
                "PGPASSWORD": database["PASSWORD"],
                "PGDATABASE": database["NAME"],
            },
            cwd=Path(file.name).parent,
            capture_output=True,
            text=True,
            check=False,
        )
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    if not found:
        raise RuntimeError(f"pgbench failed: {done.stderr[-500:]}")
    return float(found[1])
