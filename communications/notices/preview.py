"""A message as its debtor will get it, with the contact gate's answer; nothing is queued or recorded."""

from dataclasses import dataclass
from datetime import datetime

from communications.models import CommunicationLog
from communications.outbox import may_go
from communications.outbox.may_go import Unsendable
from communications.sending import batches, writing
from communications.texts import sms
from communications.texts.composition import Text
from contact import addresses, preview
from contact.engine.decision import Verdict
from contact.preview import Preview
from debtors.channels import Channel


@dataclass(frozen=True)
class MessagePreview:
    """The text with the lines that the law demands, in the language in which it goes.

    ``parts`` are those of a text message, else None. ``problem`` is why no text can be sent, in words, or empty. ``contact`` has
    the gate's decision for now and the next allowed time.
    """

    to: str
    language: str
    text: Text
    parts: sms.Parts | None
    problem: str
    contact: Preview

    @property
    def may_go_now(self) -> bool:
        return not self.problem and self.contact.decision.verdict == Verdict.ALLOW

    @property
    def may_go_later(self) -> bool:
        """Whether it may be queued to go when it is allowed."""
        return not self.problem and self.contact.decision.verdict == Verdict.POSTPONE


def preview_of(message: CommunicationLog, *, now: datetime) -> MessagePreview:
    """Write a message of ``outbox.new`` as a worker would now, and ask the gate about it.

    The text has the values of the message's debtor and debt as they are on these objects.
    """
    (source,) = batches.sources([message], now=now)
    if source is None:
        text, problem, language = Text(None, ""), str(Unsendable.TEMPLATE_INACTIVE), ""
    else:
        text, found = writing.compose(message, source.version, source.values)
        problem, language = found or "", writing.language_of(message, source.version)
    (contact,) = preview.previews(may_go.gate_inputs([message], now=now), now=now)
    debtor, channel = message.debtor, message.communication_type
    return MessagePreview(
        to=addresses.recipient(debtor, channel) if debtor else message.address or "",
        language=language,
        text=text,
        parts=sms.parts(text.body) if channel == Channel.SMS else None,
        problem=problem.partition(": ")[2] or problem,
        contact=contact,
    )
