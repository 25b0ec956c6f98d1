"""Post callbacks over HTTP as providers do, and let a worker process them."""

import base64
import json

from django.utils.timezone import now

from communications.callbacks import inbox
from communications.models import CommunicationLog
from debtors.models import ContactPoint
from tests import factories
from tests.standins import twilio as stand_in

SECRET = "user:a-shared-secret"
PUBLIC = "https://ddc.example.com"


def basic(secret=SECRET):
    return {"Authorization": "Basic " + base64.b64encode(secret.encode()).decode()}


def worked(answer):
    """Return a response after a worker has processed the inbox."""
    inbox.process(clock=now)
    return answer


def post(client, path, body, **headers):
    return worked(client.post(path, json.dumps(body), content_type="application/json", headers=headers))


def form(client, path, fields, *, query="", token=stand_in.TOKEN, url=None):
    signature = stand_in.signature(url or PUBLIC + path + query, fields, token=token)
    return worked(client.post(path + query, fields, headers={"X-Twilio-Signature": signature}))


def sent(**values):
    values = {"status": "sent", "communication_type": "email", "debtor": factories.debtor()} | values
    return CommunicationLog.objects.create(**values)


def stops():
    """Which addresses get no more messages, and why."""
    return [(point.value, point.suppressions) for point in ContactPoint.objects.filter(messages_suppressed=True)]
