"""Ids, texts and queries that no client sends by accident."""

import uuid
from collections.abc import Iterator

NUL, SURROGATE = "\0", "\ud800"
#: As they stand in a URL. The back office reads ``_00`` as NUL.
IDS = (
    "x", "0", "-1", "1e999", "9" * 20, "9" * 400, "%00", "_00", "a_00b", "%ED%A0%80", "_ED_A0_80", "%FF", "_FF",
    "None", "'", "%22", "%0A",
    "%E2%80%AE", "%F0%9F%92%A9", "a" * 5_000, "..%2F..", "%2F", "%25", "%D9%A1", str(uuid.UUID(int=0)),
    str(uuid.UUID(int=1)).upper(), uuid.UUID(int=1).hex, "urn:uuid:" + str(uuid.UUID(int=1)), "{" + str(uuid.UUID(int=1)) + "}",
    "1970-01-01", "99999-12-31",
)  # fmt: skip
#: Values of query parameters, as they stand in a URL.
VALUES = (
    "", "x", "0", "-1", "1.5", "NaN", "1e999", "9" * 12, "9" * 20, "9" * 5_000, "%00", "a%00b", "%ED%A0%80", "%FF", "%25", "'",
    "%22%3B--",
    "%F0%9F%92%A9", "%D9%A1%D9%A2", "a" * 20_000, "%20" * 2_000, "maybe", "True", "None", "null", "0000-00-00", "99999-01-01",
    "9999-12-31", "0001-01-01", "2026-02-30", "2026-01-01T99:99", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00+23:59",
    str(uuid.UUID(int=0)), f"{uuid.UUID(int=0)},x", ",".join(["1"] * 2_000), ".".join(["1"] * 2_000), "1.-2.3.x", "-", ".",
    "__", "id__",
    "../../etc", "//evil.example", "%0D%0ASet-Cookie:x",
)  # fmt: skip


def queries(names: Iterator[str] | tuple[str, ...]) -> Iterator[str]:
    """Yield each name with each value, and queries that are too large or have a name that is none."""
    for name in names:
        yield from (f"{name}={value}" for value in VALUES)
        yield f"{name}=1&{name}=%00&{name}=x"
    yield from (
        "%00=1",
        "%ED%A0%80=1",
        "=",
        "&&&",
        "=1",
        "%",
        "%zz=%zz",
        "a[b][c]=1",
        "x" * 30_000 + "=1",
        "x=" + "y" * 200_000,
    )
    yield "&".join(f"x{number}=1" for number in range(20_000))
    yield "&".join(["page=1"] * 20_000)
