import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.foundation.fingerprints import differing, fingerprints

KEY = "ab" * 32
SECRETS = {"inputs.token": "swordfish", "target.password": "hunter2"}


def test_the_same_secrets_do_not_differ() -> None:
    assert differing(fingerprints(SECRETS, key=KEY), SECRETS) == ()


def test_a_secret_that_is_another_one_now_is_named() -> None:
    kept = fingerprints(SECRETS, key=KEY)
    assert differing(kept, SECRETS | {"inputs.token": "sword"}) == ("inputs.token",)
    assert differing(kept, {name: text + " " for name, text in SECRETS.items()}) == tuple(SECRETS)


def test_a_secret_that_only_one_side_has_does_not_differ() -> None:
    assert differing(fingerprints({"inputs.token": "swordfish"}, key=KEY), {"target.password": "hunter2"}) == ()


@pytest.mark.parametrize("name", ["target.token", "target.token#2", "target.cookie.BPMCSRF"])
def test_what_a_site_gives_anew_each_time_has_no_fingerprint(name: str) -> None:
    assert fingerprints({name: "abc123"}, key=KEY).of == {}


def test_a_fingerprint_says_nothing_of_a_secret_and_is_another_one_in_each_run() -> None:
    one, other = fingerprints(SECRETS, key=KEY), fingerprints(SECRETS, key="cd" * 32)
    assert {len(text) for text in one.of.values()} == {64}
    assert not set(one.of.values()) & set(other.of.values())


def test_a_fingerprint_is_the_same_in_every_version() -> None:
    assert fingerprints({"a": "b"}, key="00").of == {
        "a": "6303a85bb6ce539d45aac0daf7cde7a248051feb5ac86499ca4f5159e2886ea2"
    }


@given(one=st.text(), other=st.text())
def test_secrets_differ_where_their_texts_do(one: str, other: str) -> None:
    assert bool(differing(fingerprints({"a": one}, key=KEY), {"a": other})) == (one != other)
