from pathlib import Path

import pytest

from runner.foundation.problems import Problem
from runner.targets.model import SiteTarget
from runner.targets.resolve import read_authorities

CERTIFICATES = Path(__file__).parents[1] / "service" / "certificates"
PEM = (CERTIFICATES / "authority.pem").read_text()


def site(ca_file: str | None) -> SiteTarget:
    return SiteTarget(name="a", url="https://a.example", ca_file=ca_file, beside=Path("specs"))


def given(content: str | Exception, *, ca_file: str = "ca.pem") -> str | Problem | None:
    def read(path: str) -> str:
        assert path == str(Path("specs") / ca_file)
        if isinstance(content, Exception):
            raise content
        return content

    return read_authorities(site(ca_file), read)


def test_a_site_without_the_file_trusts_nobody_else() -> None:
    assert read_authorities(site(None), lambda path: path) is None


def test_the_file_lies_beside_the_targets_file() -> None:
    assert isinstance(given(PEM), str)
    assert isinstance(given(PEM, ca_file="/etc/ca.pem"), str)


def test_certificates_are_taken_out_of_what_is_around_them() -> None:
    found = given(f"# the authority of Müller & Söhne\n{PEM}\n{PEM}\n-----BEGIN PRIVATE KEY-----\nx\n")

    assert isinstance(found, str)
    assert found.count("BEGIN CERTIFICATE") == 2
    assert found.isascii()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (FileNotFoundError(2, "No such file"), "the file `specs/ca.pem` cannot be read: No such file"),
        (
            UnicodeDecodeError("utf-8", b"\xff", 0, 1, "x"),
            "`specs/ca.pem` cannot be used: it is not PEM, which is text",
        ),
        ("", "`specs/ca.pem` cannot be used: it holds no certificate in PEM"),
        ("-----BEGIN PRIVATE KEY-----", "`specs/ca.pem` cannot be used: it holds no certificate in PEM"),
        (
            "-----BEGIN CERTIFICATE-----\nbm8=\n-----END CERTIFICATE-----",
            "`specs/ca.pem` cannot be used: a certificate in it is broken: ",
        ),
    ],
)
def test_a_file_that_is_of_no_use_is_reported_before_anything_is_sent(content: str | Exception, said: str) -> None:
    found = given(content)

    assert isinstance(found, Problem)
    assert found.code == "E142"
    assert found.message.startswith(f"target `a`, `ca_file`: {said}")
