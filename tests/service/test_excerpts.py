"""What is kept of an answer that says no."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.service.excerpts import LARGEST_EXCERPT, excerpt

PAGE = """<!DOCTYPE html>
<html><head><title>Request Error</title><style>BODY { color: #000000; }</style><script>var a = "<b>";</script></head>
<body><p>no right</p><script src="a.js"></body>"""


@pytest.mark.parametrize(
    ("body", "content_type", "kept"),
    [
        (b"", "", None),
        (b" \r\n", "", None),
        (b"no right", "", "no right"),
        (b"a\nb", "text/plain", "a\nb"),
        (b'{"errorInfo": {"message": "\\u043d\\u0435\\u0442"}}', "", "errorInfo.message: нет"),
        (b'\xef\xbb\xbf{"a": [1, {"b": true}], "c": null, "d": "x\\ny"}', "", "a[0]: 1\na[1].b: true\nd: x\ny"),
        (b'{"half', "", '{"half'),
        ("нет прав".encode("windows-1251"), "text/plain; charset=windows-1251", "нет прав"),
        ("нет прав".encode("utf-16"), "", "нет прав"),
        ("нет прав".encode(), "text/plain; charset=base64", "нет прав"),
        (b"<Fault><Reason>no &lt;right&gt;</Reason></Fault>", "", "<Fault><Reason>no <right></Reason></Fault>"),
        (b"PK\x03\x04\x00\x00", "application/zip", None),
        (b"<p>half a <b", "", "<p>half a <b"),
    ],
)
def test_json_xml_and_text_are_kept_as_people_read_them(body: bytes, content_type: str, kept: str | None) -> None:
    assert excerpt(body, content_type=content_type) == kept


def test_a_page_is_kept_without_scripts_and_styles() -> None:
    kept = "<!DOCTYPE html>\n<html><head><title>Request Error</title>……</head>\n<body><p>no right</p>…"
    assert excerpt(PAGE.encode()) == kept


def test_a_page_in_another_charset_keeps_the_mark_of_what_was_left_out() -> None:
    page = "<html><meta charset=windows-1251><script>x</script>нет прав</html>"
    kept = page.replace("<script>x</script>", "…")
    assert excerpt(page.encode("windows-1251"), content_type="text/html") == kept


def test_nothing_is_taken_out_that_may_be_a_part_of_a_secret() -> None:
    echoed = """<html><body>pä  ss/w+rd'<"1&><b>\n\r</body>"""
    assert excerpt(echoed.encode()) == echoed


@pytest.mark.parametrize("text", ["x" * 5000, "я" * 5000, json.dumps(["😀" * 3000]), "<p>" + "y" * 200_000])
def test_no_more_than_four_kibibytes_are_kept_and_what_is_shortened_says_so(text: str) -> None:
    kept = excerpt(text.encode())
    assert kept is not None
    assert kept.endswith("…")
    assert LARGEST_EXCERPT - 8 < len(kept.encode()) <= LARGEST_EXCERPT


@given(body=st.binary(max_size=300) | st.text(max_size=100).map(str.encode), content_type=st.text(max_size=20))
def test_any_bytes_give_a_text_that_can_be_written_or_nothing(body: bytes, content_type: str) -> None:
    kept = excerpt(body, content_type=content_type)
    assert kept is None or (kept.encode() and "\x00" not in kept)
