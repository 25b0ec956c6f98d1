"""Debtors hand in documents: recognised by content, kept in the database, and downloaded by the owner only."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from PIL import Image

from casework import documents
from casework.models import Document
from debtors.models import Debtor
from portal.models import DigitalActivity
from tests import factories
from tests.conftest import Api

pytestmark = pytest.mark.django_db

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


def picture(kind: str = "PNG") -> bytes:
    stored = io.BytesIO()
    Image.new("RGB", (4, 4), "red").save(stored, kind)
    return stored.getvalue()


def hand_in(api: Api, name: str, content: bytes, **values: str) -> Any:
    file = SimpleUploadedFile(name, content, content_type="text/html")
    return api.client.post("/debtors/me/documents", {"file": file, **values}, headers=api.headers)


def test_a_debtor_hands_in_evidence_and_downloads_it(debtor: Debtor, mine: Api, api_of: Callable[[Debtor], Api]):
    dispute = factories.dispute(debt=factories.debt(debtor=debtor))

    answer = hand_in(mine, "../My receipt.html", PDF, disputeId=str(dispute.pk))

    assert answer.status_code == 201, answer.content
    body = answer.json()
    assert {name: body[name] for name in ("name", "contentType", "size", "disputeId")} == {
        "name": "My receipt.pdf", "contentType": "application/pdf", "size": len(PDF), "disputeId": str(dispute.pk),
    }  # fmt: skip
    assert [one["id"] for one in mine.get("/debtors/me/documents").json()["data"]] == [body["id"]]
    download = mine.get(f"/debtors/me/documents/{body['id']}/content")
    assert download.content == PDF
    assert download["Content-Type"] == "application/octet-stream"
    assert download["Content-Disposition"] == 'attachment; filename="My receipt.pdf"'
    assert download["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in download["Cache-Control"]
    assert DigitalActivity.objects.get().activity_type == "document_handed_in"
    other = api_of(factories.debtor())
    assert other.get(f"/debtors/me/documents/{body['id']}").status_code == 404
    assert other.get(f"/debtors/me/documents/{body['id']}/content").status_code == 404


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_pictures_are_kept_as_they_are(mine: Api, kind: str):
    content = picture(kind)

    assert hand_in(mine, "x", content).status_code == 201
    assert documents.content_of(Document.objects.get()) == content


@pytest.mark.parametrize(
    ("name", "content", "rule"),
    [
        ("a.pdf", b"", "required"),
        ("a.pdf", b"<html><script>alert(1)</script>", "enum"),
        ("a.pdf", b"%PDF-1.7 without an end", "enum"),
        ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "enum"),
        ("a.png", picture()[:30], "enum"),
        ("a.exe", b"MZ" + bytes(500), "enum"),
    ],
)
def test_what_is_no_picture_or_pdf_is_refused_whatever_its_name(mine: Api, name: str, content: bytes, rule: str):
    answer = hand_in(mine, name, content)

    assert answer.status_code == 422
    assert [(error["field"], error["rule"]) for error in answer.json()["errors"]] == [("file", rule)]
    assert not Document.objects.exists()


def test_ten_megabytes_are_taken_and_a_body_over_ten_mebibytes_is_413(mine: Api):
    most = b"%PDF-" + bytes(documents.MAX_BYTES - 10) + b"%%EOF"
    assert len(most) == documents.MAX_BYTES

    assert hand_in(mine, "a.pdf", most).status_code == 201
    assert hand_in(mine, "a.pdf", b"x" + most).json()["errors"][0]["rule"] == "maxLength"
    assert hand_in(mine, "a.pdf", bytes(10_485_761)).status_code == 413
    assert mine.post("/debtors/me/hardship", {"text": "x" * 1_048_577}).status_code == 413
    assert Document.objects.count() == 1


def test_the_dispute_of_another_debtor_and_other_bodies_are_refused(mine: Api):
    theirs = factories.dispute()

    refused = hand_in(mine, "a.pdf", PDF, disputeId=str(theirs.pk))

    assert refused.json()["errors"][0]["field"] == "disputeId"
    assert mine.post("/debtors/me/documents", {"file": "x"}).status_code == 415
    assert not Document.objects.exists()


def test_the_scanner_of_the_agency_may_refuse_a_file(mine: Api, settings: Any):
    settings.DOCUMENT_SCANNER = "tests.portal.test_documents.refuse_all"

    assert hand_in(mine, "a.pdf", PDF).json()["errors"][0]["rule"] == "scan"
    assert not Document.objects.exists()


def refuse_all(content: bytes, name: str) -> bool:
    assert (content, name) == (PDF, "a.pdf")
    return False


def test_a_debtor_hands_in_twenty_files_a_day(debtor: Debtor, mine: Api):
    for _ in range(documents.LIMIT.maximum):
        factories.document(debtor=debtor)

    assert hand_in(mine, "a.pdf", PDF).status_code == 429


def test_a_document_never_changes(debtor: Debtor):
    made = factories.document(debtor=debtor, content=PDF)

    for change in (
        lambda: Document.objects.update(name="b"),
        lambda: Document.objects.filter(pk=made.pk)._raw_delete("default"),
    ):
        with pytest.raises(Exception, match="permission denied"), transaction.atomic():
            change()
    assert documents.content_of(made) == PDF


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("a.b.jpeg", "a.b.pdf"),
        ("C:\\docs\\bill.pdf", "bill.pdf"),
        ("\r\nSet-Cookie: x", "Set-Cookie x.pdf"),
        ("‮gpj.exe", "gpj.pdf"),
        ("...", "document.pdf"),
        ("<b>", "b.pdf"),
        ("x" * 300, "x" * 146 + ".pdf"),
        ("счёт.pdf", "счёт.pdf"),
    ],
)
def test_a_name_is_safe_in_headers_and_on_disks(given: str, kept: str):
    assert documents.file_name(given, "application/pdf") == kept
