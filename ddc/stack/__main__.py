"""Command line: `python -m ddc.stack demo`, `… web --workers 3` and `… run -- COMMAND`."""

import argparse
import os
import sys

from . import StackError, demo, health, process, temporary, web


def main(arguments: list[str]) -> int:
    """Run the sub-command and return the exit code."""
    port = os.environ.get("PORT") or "8000"
    parser = argparse.ArgumentParser(prog="python -m ddc.stack", description=__doc__)
    commands = parser.add_subparsers(dest="action", required=True)
    commands.add_parser("demo", help="run the whole site with sample data until Ctrl-C")
    commands.add_parser("reset", help="delete the demo's data and secrets")
    commands.add_parser("health", help="check the health of the site on PORT under the host name of PUBLIC_URL")
    server = commands.add_parser("web", help="run only the web server")
    server.add_argument(
        "--host", default=process.LOOPBACK, help="default: %(default)s; 0.0.0.0 listens on all interfaces"
    )
    server.add_argument("--port", type=int, default=port, help="default: PORT, else 8000")
    server.add_argument("--workers", type=int, default=web.PROCESSES, help="processes; default: CPU cores plus one")
    server.add_argument(
        "--shutdown-seconds",
        type=int,
        default=web.SHUTDOWN_SECONDS,
        help="time for requests in progress at shutdown; default: %(default)s",
    )
    run = commands.add_parser("run", help="run one command with a temporary PostgreSQL and Valkey")
    run.add_argument("--durable", action="store_true", help="make PostgreSQL write durably, as in production")
    run.add_argument("command", nargs="+")
    chosen = parser.parse_args(arguments)
    try:
        if chosen.action == "demo":
            return demo.run()
        if chosen.action == "reset":
            return demo.reset()
        if chosen.action == "health":
            if problem := health.problem(int(port), os.environ.get("PUBLIC_URL", f"http://127.0.0.1:{port}")):
                raise StackError(problem)
            return 0
        if chosen.action == "web":
            web.serve(
                host=chosen.host,
                port=chosen.port,
                workers=chosen.workers,
                shutdown_seconds=chosen.shutdown_seconds,
            )
        return temporary.run(chosen.command, os.environ, durable=chosen.durable)
    except StackError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
