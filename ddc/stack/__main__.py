"""Command line: `python -m ddc.stack demo`, `… web --workers 3` and `… run -- COMMAND`."""

import argparse
import os
import sys

from . import demo, health, process, temporary, web
from .errors import StackError


def main(arguments: list[str]) -> int:
    """Run the sub-command and return the exit code."""
    port = os.environ.get("PORT") or "8000"
    parser = argparse.ArgumentParser(prog="python -m ddc.stack", description=__doc__)
    commands = parser.add_subparsers(dest="action", required=True)
    commands.add_parser("demo", help="the whole site with made-up data, until Ctrl-C")
    commands.add_parser("reset", help="forget the demo's data and secrets")
    commands.add_parser("health", help="ask the site on PORT how it is, as PUBLIC_URL names it")
    server = commands.add_parser("web", help="the web server alone")
    server.add_argument("--host", default=process.LOOPBACK, help="%(default)s unless told; 0.0.0.0 is for everybody")
    server.add_argument("--port", type=int, default=port, help="PORT, or 8000, unless told")
    server.add_argument(
        "--workers", type=int, default=web.PROCESSES, help="processes: one more than there are cores, unless told"
    )
    run = commands.add_parser("run", help="one command beside a temporary PostgreSQL and Valkey")
    run.add_argument("--durable", action="store_true", help="write as carefully as in production, not as for tests")
    run.add_argument("command", nargs="+")
    chosen = parser.parse_args(arguments)
    try:
        if chosen.action == "demo":
            return demo.run()
        if chosen.action == "reset":
            return demo.reset()
        if chosen.action == "health":
            if wrong := health.complaint(int(port), os.environ.get("PUBLIC_URL", f"http://127.0.0.1:{port}")):
                raise StackError(wrong)
            return 0
        if chosen.action == "web":
            command = web.command(host=chosen.host, port=chosen.port, workers=chosen.workers, patience=web.PATIENCE)
            os.execv(command[0], command)
        return temporary.run(chosen.command, os.environ, durable=chosen.durable)
    except StackError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
