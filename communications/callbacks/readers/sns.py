"""Callbacks of Amazon SES by Amazon SNS, whose own signature anymail does not check.

docs.aws.amazon.com: "Verifying the signatures of Amazon SNS messages".
"""

import base64
import json
import re
from functools import lru_cache
from typing import Any

from django.http import HttpRequest

from communications.callbacks.readers.base import Challenge
from communications.callbacks.readers.mail import AnymailReader
from communications.channels.events import NotAuthentic
from ddc.common.errors import DomainError

#: Only Amazon serves its certificates at these addresses.
_CERTIFICATE = re.compile(
    r"https://sns\.[a-z0-9-]{3,40}\.amazonaws\.com(?:\.cn)?/[A-Za-z0-9._/-]{1,200}(?<=\.pem)", re.ASCII
)
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
_SIGNED["UnsubscribeConfirmation"] = _SIGNED["SubscriptionConfirmation"]
_TIMEOUT_SECONDS = 5


class CertificateUnavailable(DomainError):
    """Amazon's certificate could not be fetched. SNS calls again later."""

    status = 503
    message = "The signature cannot be checked at the moment. Call again later."


class AmazonSes(AnymailReader):
    def __init__(self) -> None:
        super().__init__("amazon_ses", "AmazonSES")

    def verify(self, kind: str, request: HttpRequest) -> None:
        self.view(kind, request)  # Refuses if no secret is configured.
        if "X-Amz-Sns-Message-Type" in request.headers and "Authorization" not in request.headers:
            raise Challenge("callbacks")
        super().verify(kind, request)
        if not is_signed(request.body):
            raise NotAuthentic


def is_signed(body: bytes) -> bool:
    """Report whether Amazon SNS signed a message.

    :raises CertificateUnavailable: if its certificate cannot be fetched
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    try:
        message = json.loads(body)
        digest = {"1": hashes.SHA1(), "2": hashes.SHA256()}[message["SignatureVersion"]]  # noqa: S303 - Amazon's choice
        signature = base64.b64decode(message["Signature"], validate=True)
        address = _CERTIFICATE.fullmatch(message["SigningCertURL"])
        signed = signed_text(message)
    except (ValueError, KeyError, TypeError, AttributeError):
        return False
    if not address:
        return False
    try:
        key(address[0]).verify(signature, signed, padding.PKCS1v15(), digest)
    except InvalidSignature:
        return False
    return True


def signed_text(message: dict[str, Any]) -> bytes:
    """Return the signed part of a message: its names and values in turn, each on a line."""
    names = (name for name in _SIGNED[message["Type"]] if message.get(name) is not None)
    return "".join(f"{name}\n{message[name]}\n" for name in names).encode()


@lru_cache(maxsize=8)
def key(url: str) -> Any:
    """Return the public key of the certificate at this address; a certificate is fetched once per process."""
    from cryptography import x509

    return x509.load_pem_x509_certificate(fetch(url)).public_key()


def fetch(url: str) -> bytes:
    """Fetch a certificate.

    :raises CertificateUnavailable: if that fails
    """
    import requests

    try:
        response = requests.get(url, timeout=_TIMEOUT_SECONDS, allow_redirects=False)
        response.raise_for_status()
    except requests.RequestException as error:
        raise CertificateUnavailable from error
    return response.content
