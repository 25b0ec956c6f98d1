"""A placement file is uploaded in the back office: previewed, confirmed, and loaded by a worker."""

import csv
import io
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.utils.timezone import now

from collection.models import Debt, ParkedPlacement, PlacementImport
from collection.placements import imports, loading
from ddc.common.postgresql.advisory_locks import AdvisoryLock
from ddc.common.process.live import Progress
from tests.admin.conftest import Browser, address, errors
from tests.collection.placements.files import ROW, text
from tests.strategy.makers import TODAY, clock

pytestmark = pytest.mark.django_db

ADD = "/admin/collections/placementimport/add/"
GUS = ROW | {"firstName": "Gus", "lastName": "Hale", "externalReference": "A-2", "originalBalance": "2500.00"}
BAD = ROW | {"externalReference": "A-3", "originalBalance": "=1+1", "email": "bad@example.com", "mobilePhone": ""}


def upload(browser: Browser, content: bytes, **fields: str) -> Any:
    file = io.BytesIO(content)
    file.name = "march.csv"
    return browser.client.post(ADD, {"placement_file": file, "creditor": "", "encoding": "", **fields})


def step(browser: Browser, name: str) -> Any:
    return browser.post(f"/admin/collections/placementimport/{PlacementImport.objects.get().pk}/{name}/")


def page(browser: Browser) -> Any:
    return browser.get(address(PlacementImport, "change", PlacementImport.objects.get().pk))


def work() -> PlacementImport:
    imports.work(clock=now)
    return PlacementImport.objects.get()


def test_a_file_is_previewed_confirmed_and_loaded(supervisor_at_desk: Browser):
    loading.load(io.BytesIO(text(ROW).encode()), by=None, today=TODAY, now=clock())
    new = ROW | {"externalReference": "A-9", "originalBalance": "70.00"}

    answer = upload(supervisor_at_desk, text(ROW, GUS, BAD, new).encode())
    assert answer["Location"] == address(PlacementImport, "change", PlacementImport.objects.get().pk)
    progress = f"/admin/collections/placementimport/{PlacementImport.objects.get().pk}/progress/"
    waiting = page(supervisor_at_desk).content.decode()
    assert f'data-live="{progress}" role="status" aria-live="polite">Waits for a worker<' in waiting
    assert "common/live.js" in waiting
    assert supervisor_at_desk.get(progress).content == b"Waits for a worker"

    kept = work()
    assert kept.status == "checked"
    assert kept.report
    assert (kept.report["rows"], kept.report["accepted"], kept.report["known"], kept.report["refused"]) == (4, 1, 1, 1)
    assert len(kept.report["parked"]) == 1
    assert Debt.objects.count() == 1
    assert not ParkedPlacement.objects.exists()
    shown = page(supervisor_at_desk)
    assert "nothing was written" in shown.content.decode()
    assert "data-live" not in shown.content.decode()
    assert supervisor_at_desk.get(progress).status_code == 204

    assert step(supervisor_at_desk, "confirm").status_code == 302
    kept = work()
    assert (kept.status, kept.file, kept.confirmed_by) == ("loaded", None, supervisor_at_desk.agent)
    assert Debt.objects.count() == 2
    parked = ParkedPlacement.objects.get()
    assert address(ParkedPlacement, "change", parked.pk) in page(supervisor_at_desk).content.decode()


def test_the_refused_rows_are_a_csv_file(supervisor_at_desk: Browser):
    upload(supervisor_at_desk, text(ROW, BAD).encode())
    work()
    answer: Any = step(supervisor_at_desk, "refused_rows")
    content = b"".join(answer.streaming_content).decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(content, newline=""))
    assert (row["line"], row["column"]) == ("3", "originalBalance")
    assert "Refused rows" in page(supervisor_at_desk).content.decode()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "The file is empty."),
        (b"x" * (imports.MAX_BYTES + 1), "more than 20 MB"),
    ],
    ids=["empty", "large"],
)
def test_a_file_that_cannot_be_kept_is_refused_at_its_field(supervisor_at_desk: Browser, content: bytes, said: str):
    answer = upload(supervisor_at_desk, content)
    assert said in errors(answer)["placement_file"][0]
    assert not PlacementImport.objects.exists()


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n\x00", b"just,a,list\n1,2,3\n", b"\xff\xfe\x00"])
def test_a_file_that_is_no_placement_file_fails_with_the_reason(supervisor_at_desk: Browser, content: bytes):
    upload(supervisor_at_desk, content)
    kept = work()
    assert kept.status == "failed"
    assert "Nothing was written." in kept.error
    assert kept.error.split(".")[0] in page(supervisor_at_desk).content.decode().replace("&#x27;", "'")
    assert step(supervisor_at_desk, "confirm").status_code == 403


def test_a_body_that_is_too_large_is_refused_with_a_page(supervisor_at_desk: Browser):
    answer = upload(supervisor_at_desk, b"x" * 27_000_000)
    assert answer.status_code == 413
    assert "That is too much" in answer.content.decode()


def test_a_file_is_loaded_once_however_often_it_is_confirmed(supervisor_at_desk: Browser):
    upload(supervisor_at_desk, text(ROW).encode())
    kept = work()
    imports.confirm(kept, by=None, now=now())
    with pytest.raises(imports.NotWaiting):
        imports.confirm(kept, by=None, now=now())
    with pytest.raises(imports.NotWaiting):
        imports.discard(kept, by=None, now=now())
    assert work().status == "loaded"
    assert Debt.objects.count() == 1


def test_a_discarded_file_is_gone(supervisor_at_desk: Browser):
    upload(supervisor_at_desk, text(ROW).encode())
    work()
    step(supervisor_at_desk, "discard")
    kept = work()
    assert (kept.status, kept.file) == ("discarded", None)
    assert not Debt.objects.exists()


def test_a_file_whose_worker_died_is_loaded_by_the_next(supervisor_at_desk: Browser):
    upload(supervisor_at_desk, text(ROW).encode())
    PlacementImport.objects.update(started_at=now())
    assert work().status == "checked"


def test_a_file_waits_while_another_is_loaded(supervisor_at_desk: Browser, monkeypatch: pytest.MonkeyPatch):
    upload(supervisor_at_desk, text(ROW).encode())

    def busy(*_: Any, **__: Any) -> None:
        raise loading.ImportInProgress

    with monkeypatch.context() as patched:
        patched.setattr(loading, "load", busy)
        assert work().status == "checking"
    assert work().status == "checked"


def test_progress_is_shown_while_a_worker_is_at_it(supervisor_at_desk: Browser):
    upload(supervisor_at_desk, text(ROW).encode())
    kept = PlacementImport.objects.get()
    Progress(kept.pk).report("reading, 40 % of the file")
    assert "reading, 40 % of the file" in page(supervisor_at_desk).content.decode()


def test_the_content_of_an_unconfirmed_file_is_deleted_after_a_week(supervisor_at_desk: Browser):
    upload(supervisor_at_desk, text(ROW).encode())
    work()
    assert imports.delete_unconfirmed(now=now()) == 0
    assert imports.delete_unconfirmed(now=now() + timedelta(days=8)) == 1
    assert PlacementImport.objects.get().file is None


def test_only_those_with_the_right_import(
    agent_at_desk: Browser, auditor_at_desk: Browser, supervisor_at_desk: Browser
):
    upload(supervisor_at_desk, text(ROW).encode())
    work()
    for browser in (agent_at_desk, auditor_at_desk):
        assert browser.get(ADD).status_code == 403
        assert upload(browser, text(ROW).encode()).status_code == 403
        assert page(browser).status_code == 200
        assert step(browser, "confirm").status_code == 403
    assert PlacementImport.objects.get().status == "checked"


def test_two_workers_never_work_on_files_at_once(supervisor_at_desk: Browser):
    upload(supervisor_at_desk, text(ROW).encode())
    with psycopg.connect(**connection.get_connection_params()) as another:
        another.execute("SELECT pg_advisory_lock(hashtextextended('', %s))", [AdvisoryLock.PLACEMENT_IMPORT.number])
        assert imports.work(clock=now) == 0
        another.execute("SELECT pg_advisory_unlock_all()")
    assert imports.work(clock=now) == 1
