"""Run the documented configurations of nginx and Caddy in front of a real site."""

import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ddc.fixed_settings import BASE_DIR
from ddc.stack import web
from tests.deep.processes import environment, start
from tests.folders import server_folder
from tests.fuzz.site import is_up
from tests.journeys.site import free_port, wait_for

pytestmark = [pytest.mark.deep, pytest.mark.django_db(transaction=True)]

_LIMIT = 10
#: The folder with the files of the proxy that runs.
_FOLDERS: list[Path] = []


def documented(start_of: str) -> str:
    """Return the indented block of docs/operations.md that starts with a line."""
    text = Path(BASE_DIR, "docs/operations.md").read_text()
    begin = text.index(f"\n    {start_of}\n")
    block = re.match(r"(?:(?:    .*)?\n)+", text[begin + 1 :])
    assert block
    return "\n".join(line.removeprefix("    ") for line in block[0].splitlines())


def changed(text: str, *changes: tuple[str, str]) -> str:
    """Replace what depends on the host; each text to replace must be there."""
    for old, new in changes:
        assert old in text, f"docs/operations.md has no {old!r} any more"
        text = text.replace(old, new)
    return text


def nginx(port: int, upstream: int, folder: Path) -> list[str]:
    config = changed(
        documented("map $uri $path_to_log {"),
        ("listen 443 ssl;", f"listen 127.0.0.1:{port};"),
        ("ssl_certificate     /etc/letsencrypt/live/ddc.example/fullchain.pem;", ""),
        ("ssl_certificate_key /etc/letsencrypt/live/ddc.example/privkey.pem;", ""),
        ("127.0.0.1:8000", f"127.0.0.1:{upstream}"),
        ("/var/log/nginx/", f"{folder}/"),
        ("server { listen 80; server_name ddc.example; access_log off; return 301 https://$host$request_uri; }", ""),
    )
    temporary = "".join(
        f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    file = folder / "nginx.conf"
    file.write_text(f"daemon off; pid {folder}/pid; events {{}} http {{ {temporary}\n{config}\n}}")
    return [_installed("nginx"), "-c", str(file), "-e", f"{folder}/error.log"]


def caddy(port: int, upstream: int, folder: Path) -> list[str]:
    program = _installed("caddy")
    config = changed(
        documented("{"),
        ("{\n    servers", "{\n    admin off\n    auto_https off\n    servers"),
        ("\nddc.example {", f"\nhttp://127.0.0.1:{port} {{"),
        ("127.0.0.1:8000", f"127.0.0.1:{upstream}"),
    )
    if subprocess.run([program, "version"], capture_output=True, text=True).stdout.lstrip("v").startswith("2.6"):
        config = changed(config, ("request_buffers 26MB", "buffer_requests"))
    file = folder / "Caddyfile"
    file.write_text(config)
    return [program, "run", "--config", str(file), "--adapter", "caddyfile"]


def _installed(program: str) -> str:
    found = shutil.which(program)
    assert found, f"{program} is missing. Install it by `make setup-proxies`."
    return found


@contextmanager
def behind(proxy: str) -> Iterator[int]:
    """Start a site behind a proxy, and return the proxy's port."""
    port, upstream = free_port(), free_port()
    env = environment(PUBLIC_URL=f"http://127.0.0.1:{port}", TRUSTED_PROXIES="1", METRICS_TOKEN="m" * 40)
    with server_folder("ddc-proxy-", mode=0o777) as folder:
        command = {"nginx": nginx, "caddy": caddy}[proxy](port, upstream, folder)
        site = start(*web.command(port=upstream, workers=1)[1:], env=env)
        front = subprocess.Popen(command, env={**env, "HOME": str(folder), "XDG_DATA_HOME": str(folder)})
        try:
            wait_for(lambda: is_up(f"http://127.0.0.1:{upstream}/health"), seconds=60)
            wait_for(lambda: b" 200 " in ask(port, "GET /health")[:20], seconds=20)
            _FOLDERS[:] = [folder]
            yield port
        finally:
            for process in (front, site):
                process.terminate()
                process.wait()


def ask(port: int, line: str, *headers: str, body: str = "") -> bytes:
    """Send a request byte by byte as it is, and return the answer."""
    lines = [f"{line} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Connection: close", *headers]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.sendall(("\r\n".join(lines) + "\r\n\r\n" + body).encode())
            return b"".join(iter(lambda: connection.recv(65_536), b""))
    except ConnectionError:
        return b""


@pytest.mark.parametrize("name", ["X_Forwarded_For", "X-Forwarded_For", "x_forwarded-for", "X-Forwarded-For"])
@pytest.mark.parametrize("proxy", ["nginx", "caddy"])
def test_a_caller_behind_the_documented_proxy_does_not_choose_its_address(proxy: str, name: str):
    with behind(proxy) as port:
        statuses = []
        for number in range(_LIMIT + 2):
            forged = [f"{name}: 6.6.6.{number}", "A-Filler: 1", f"Another-Filler: {number}"]
            body = '{"username": "somebody", "password": "wrong"}'
            statuses.append(ask(port, "POST /auth/token", *forged, body=body).split()[1])

    assert statuses[:2] == [b"401", b"401"]
    assert statuses[-1] == b"429"


#: Spellings of ``/metrics`` that a proxy or the web server could take for it.
METRICS = (
    "/metrics", "/metrics/", "//metrics", "///metrics//", "/metrics//", "/%6detrics", "/%6D%65%74%72%69%63%73", "/metrics?x=1",
    "/metrics%2F", "/%2Fmetrics", "/x/../metrics", "/x/%2e%2e/metrics", "/./metrics", "/metrics/.", "/metrics/%2e",
    "/metrics/x/..",
    "/Metrics", "/METRICS/", "/%256detrics", "/metrics;x", "/metrics%3B", "/metrics%20", "/metrics%0A", "/metrics%00",
    "/metrics%5C",
    "/\\metrics", "http://127.0.0.1/metrics",
)  # fmt: skip


@pytest.mark.parametrize("proxy", ["nginx", "caddy"])
def test_the_proxies_hide_the_metrics_under_every_spelling_of_their_path(proxy: str):
    with behind(proxy) as port:
        answers = {path: ask(port, f"GET {path}", f"Authorization: Bearer {'m' * 40}") for path in METRICS}

    assert {path for path, answer in answers.items() if b"ddc_requests" in answer} == set()
    statuses = {path: answer.split()[1] for path, answer in answers.items() if answer}
    assert {path: status for path, status in statuses.items() if status not in (b"400", b"403", b"404")} == {}
    assert statuses["/metrics"] == statuses["/%6detrics"] == statuses["//metrics"] == b"403"


#: Spellings of paths with a secret, which works like a key.
SECRET = "s3cret-t0ken"
SECRET_PATHS = tuple(
    path.replace("TOKEN", SECRET)
    for path in (
        "/unsubscribe/TOKEN", "//unsubscribe/TOKEN", "/unsubscribe//TOKEN", "/%75nsubscribe/TOKEN", "/unsubscribe%2FTOKEN",
        "/Unsubscribe/TOKEN",
        "/x/../unsubscribe/TOKEN", "/unsubscribe/TOKEN/", "/unsubscribe/TOKEN?TOKEN", "/unsubscribe/./TOKEN",
        "/track/open/TOKEN.gif",
        "//track//open//TOKEN.gif", "/track/%6fpen/TOKEN.gif", "/TRACK/OPEN/TOKEN.gif", "/debtors?search=TOKEN",
        "/x/unsubscribe/TOKEN",
    )
)  # fmt: skip


def test_nginx_logs_no_secret_of_a_path_under_any_spelling():
    with behind("nginx") as port:
        for path in SECRET_PATHS:
            ask(port, f"GET {path}")
        (folder,) = _FOLDERS
        logged = "".join(file.read_text() for file in folder.glob("*.log"))

    assert logged.count("/unsubscribe/TOKEN") > 5
    assert SECRET not in logged


@pytest.mark.parametrize("proxy", ["nginx", "caddy"])
def test_a_body_that_is_too_large_is_refused_under_every_spelling_of_a_path(proxy: str):
    """The web server reads callbacks of up to 26 MB; a path that only looks like theirs has the limit of all others."""
    body = '{"x": "' + "y" * 1_200_000 + '"}'
    with behind(proxy) as port:
        answers = {
            path: ask(port, f"POST {path}", body=body).split()[1]
            for path in (
                "/auth/token",
                "//auth/token",
                "/callbacks/../auth/token",
                "/callbacks/%2e%2e/auth/token",
                "/x/callbacks/y",
            )
        }

    assert set(answers.values()) <= {b"404", b"413"}
    assert answers["/auth/token"] == b"413"
