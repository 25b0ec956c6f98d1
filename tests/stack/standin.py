"""A demo with trivial programs, to test the stack without the site: `standin.py CHECKOUT [PLAN as JSON]`.

It uses only the standard library, as the stack must.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingTCPServer
from urllib.parse import urlsplit


class Well(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def web(port: int) -> None:
    """Answer like the site, and start a grandchild like granian and celery."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as grandchild:

        def end(*_: object) -> None:
            grandchild.kill()
            note("web")

        signal.signal(signal.SIGTERM, end)
        ThreadingTCPServer.allow_reuse_address = True
        ThreadingTCPServer(("127.0.0.1", port), Well).serve_forever()


def worker(name: str) -> None:
    signal.signal(signal.SIGTERM, lambda *_: note(name))
    time.sleep(600)


def note(name: str) -> None:
    """Record the end, and whether the servers still ran."""
    servers = [urlsplit(os.environ[url]) for url in ("DATABASE_URL", "REDIS_URL")]
    try:
        for server in servers:
            socket.create_connection((server.hostname or "", server.port or 1), timeout=1).close()
        order = "before the servers"
    except OSError:
        order = "after the servers"
    with Path("ended").open("a") as ended:
        ended.write(f"{name} {order}\n")
    os._exit(0)


def main(checkout: str, changes: str = "{}") -> int:
    from ddc.stack import StackError, demo

    me = [sys.executable, __file__]
    plan = {
        "steps": {"Loading": [sys.executable, "-c", "print('loaded')"]},
        "programs": {
            "web": [*me, "web", "{port}"],
            "worker": [*me, "worker", "worker"],
            "beat": [*me, "worker", "beat"],
        },
        "pages": {"/": "start here"},
        "users": ["agent"],
    } | json.loads(changes)
    try:
        return demo.run(demo.Plan(**plan), Path(checkout))
    except StackError as error:
        demo.show(str(error))
        return 1


if __name__ == "__main__":
    if sys.argv[1] == "web":
        web(int(sys.argv[2]))
    elif sys.argv[1] == "worker":
        worker(sys.argv[2])
    else:
        sys.exit(main(*sys.argv[1:]))
