import re

from runner.foundation.lazy import lazy_pattern


def test_a_lazy_pattern_finds_what_a_pattern_finds() -> None:
    text = "a1 b22"
    lazy, compiled = lazy_pattern(r"([a-z])(\d+)", re.IGNORECASE), re.compile(r"([a-z])(\d+)", re.IGNORECASE)

    assert lazy.findall(text) == compiled.findall(text) == [("a", "1"), ("b", "22")]
    assert lazy.sub(r"\2", text) == compiled.sub(r"\2", text)
    assert (lazy.pattern, lazy.groups) == (compiled.pattern, compiled.groups)


def test_a_lazy_pattern_reads_bytes_where_it_is_written_in_bytes() -> None:
    assert lazy_pattern(rb"\d+").search(b"a 12") is not None


def test_a_lazy_pattern_is_not_compiled_before_its_first_use() -> None:
    never_used = lazy_pattern("(")

    assert never_used.pattern == "("
