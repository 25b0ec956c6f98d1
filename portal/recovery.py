"""Sign-ins after a restore from a backup."""

from datetime import datetime

from portal.models import OtpSession


def end_sign_ins(*, now: datetime) -> int:
    """End all open sign-ins: a code of the dump may have been used since. Return their number."""
    open_ones = OtpSession.objects.filter(replaced_at__isnull=True, used_at__isnull=True, expires_at__gt=now)
    ended = open_ones.update(replaced_at=now, updated_at=now)
    OtpSession.objects.filter(answered_at__isnull=True).update(answered_at=now, replaced_at=now, updated_at=now)
    return ended
