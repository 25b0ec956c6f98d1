"""Show the text of a message in the back office: as plain text, or as its reader saw it."""

from django.utils.html import format_html
from django.utils.safestring import SafeString

#: Nothing is loaded or executed, because a pixel would count an opening. Links do not work.
_POLICY = (
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    "<style>a{pointer-events:none}body{font-family:sans-serif;margin:1rem;overflow-wrap:anywhere}</style>"
)
_FRAME = (
    '<iframe sandbox="" srcdoc="{}" title="The message" referrerpolicy="no-referrer" tabindex="-1" class="message-frame">'
    "</iframe>"
)


def as_written(text: str) -> SafeString:
    """Show plain text with its line breaks."""
    return format_html('<div class="message-text">{}</div>', text)


def framed(markup: str) -> SafeString:
    """Show HTML as its reader saw it, in a frame without permissions that loads nothing."""
    return format_html(_FRAME, _POLICY + markup)
