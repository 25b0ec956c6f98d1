"""Command line: `python -m ddc.stack demo` and `python -m ddc.stack run -- COMMAND`."""

import argparse
import os
import sys

from . import demo, health, temporary
from .errors import StackError


def main(arguments: list[str]) -> int:
    """Run the sub-command and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m ddc.stack", description=__doc__)
    commands = parser.add_subparsers(dest="action", required=True)
    commands.add_parser("demo", help="the whole site with made-up data, until Ctrl-C")
    commands.add_parser("reset", help="forget the demo's data and secrets")
    commands.add_parser("health", help="ask the site on PORT how it is, as PUBLIC_URL names it")
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
            port = os.environ.get("PORT", "8000")
            if wrong := health.complaint(int(port), os.environ.get("PUBLIC_URL", f"http://127.0.0.1:{port}")):
                raise StackError(wrong)
            return 0
        return temporary.run(chosen.command, os.environ, durable=chosen.durable)
    except StackError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
