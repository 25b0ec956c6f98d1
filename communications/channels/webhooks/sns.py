"""Amazon SNS's own signature, which anymail leaves unchecked (docs.aws.amazon.com: "Verifying the signatures of Amazon SNS
messages")."""

import base64
import json
import re
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from ddc.common.errors import DomainError

#: Only Amazon itself hands its certificates out here.
_HOST = re.compile(r"sns\.[a-z0-9-]{3,}\.amazonaws\.com(?:\.cn)?", re.ASCII)
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
_SIGNED["UnsubscribeConfirmation"] = _SIGNED["SubscriptionConfirmation"]
_TIMEOUT_SECONDS = 5


class CertificateOutOfReach(DomainError):
    """Amazon's certificate could not be fetched; SNS calls again."""

    status = 503
    message = "The signature can't be checked at the moment."


def is_signed(body: bytes) -> bool:
    """Tell whether Amazon SNS signed this message.

    :raises CertificateOutOfReach: if its certificate can't be fetched
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    try:
        message = json.loads(body)
        digest = {"1": hashes.SHA1(), "2": hashes.SHA256()}[message["SignatureVersion"]]  # noqa: S303 - Amazon's choice
        signature = base64.b64decode(message["Signature"], validate=True)
        address = urlsplit(message["SigningCertURL"])
        signed = canonical(message)
    except (ValueError, KeyError, TypeError, AttributeError):
        return False
    if address.scheme != "https" or not _HOST.fullmatch(address.netloc) or not address.path.endswith(".pem"):
        return False
    try:
        _key(address.geturl()).verify(signature, signed, padding.PKCS1v15(), digest)
    except InvalidSignature:
        return False
    return True


def canonical(message: dict[str, Any]) -> bytes:
    """Return what is signed: names and values by turns, each on a line."""
    names = (name for name in _SIGNED[message["Type"]] if message.get(name) is not None)
    return "".join(f"{name}\n{message[name]}\n" for name in names).encode()


@lru_cache(maxsize=8)
def _key(url: str) -> Any:
    from cryptography import x509

    return x509.load_pem_x509_certificate(fetch(url)).public_key()


def fetch(url: str) -> bytes:
    """Fetch a certificate.

    :raises CertificateOutOfReach: if that fails
    """
    import requests

    try:
        answer = requests.get(url, timeout=_TIMEOUT_SECONDS, allow_redirects=False)
        answer.raise_for_status()
    except requests.RequestException as error:
        raise CertificateOutOfReach from error
    return answer.content
