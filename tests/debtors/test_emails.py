"""E-mail addresses: which can be mailed, and which spellings are one address."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debtors import emails

LONG_LABEL = "ü" * 60


@pytest.mark.parametrize(
    "spelling",
    [
        "ann@bücher.example", "Ann@BÜCHER.example", " ann@xn--bcher-kva.example ", "ANN@XN--BCHER-KVA.EXAMPLE",
        "ann@bu\u0308cher.example", "ann@bücher\u3002example", "ann@b\u00adücher.example\u200b",
    ],
)  # fmt: skip
def test_spellings_of_one_address_have_one_form(spelling: str) -> None:
    assert emails.normal_form(spelling) == "ann@xn--bcher-kva.example"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ann@bücher.example", "ann@bucher.example"),
        ("a.nn@example.com", "ann@example.com"),
        ("zoë@a.example", "zoe@a.example"),
    ],
)
def test_other_differences_make_another_address(one: str, other: str) -> None:
    assert emails.normal_form(one) != emails.normal_form(other)


@given(
    st.text(max_size=40)
    | st.emails()
    | st.builds("{}@{}.example".format, st.text(max_size=9), st.text("aüßİς-.", max_size=9))
)
def test_a_form_is_its_own_form(address: str) -> None:
    form = emails.normal_form(address)
    assert emails.normal_form(form) == form


@pytest.mark.parametrize("address", ["zoe@example.com", "zoe+debts@mail.example.co.uk", "ann@bücher.example"])
def test_an_address_passes(address: str) -> None:
    emails.check(address, field="value")


@pytest.mark.parametrize(
    "address",
    [
        "", "zoe", "zoe@", "@example.com", "zoe@example", "zoe@@example.com", "a b@example.com",
        # Left to RFC 5321: Japanese carriers gave out such addresses once, and letters before the @ need an extension (SMTPUTF8).
        "a..b@docomo.ne.jp", ".x.@ezweb.ne.jp", "ünal@example.com",
        # Mail servers cannot be told these domains.
        f"ann@{LONG_LABEL}.example", "ann@" + "ü.ü" * 60 + ".example",
    ],
)  # fmt: skip
def test_another_text_is_refused_at_the_field(address: str) -> None:
    with pytest.raises(emails.InvalidEmail) as refusal:
        emails.check(address, field="value")
    assert refusal.value.field == "value"
