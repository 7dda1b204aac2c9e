"""Files that are there whole, or not at all."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.foundation.private_files import write_whole


def test_a_file_whose_content_ends_in_a_fault_is_as_before_and_nothing_lies_beside_it(tmp_path: Path) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"the first part"
        raise ZeroDivisionError

    write_whole(tmp_path / "report.json", b"before")
    with pytest.raises(ZeroDivisionError):
        write_whole(tmp_path / "report.json", pieces())
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("report.json", b"before")]


def test_a_file_that_comes_in_many_pieces_is_written_in_few_calls_and_no_more_is_held_than_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    really_write = os.write

    def write(file: int, content: bytes) -> int:
        sizes.append(len(content))
        return really_write(file, content)

    monkeypatch.setattr(os, "write", write)
    pieces = [bytes([number % 256]) * 1000 for number in range(200)]
    write_whole(tmp_path / "report.json", iter(pieces), durable=False)
    write_whole(tmp_path / "empty", iter(()), durable=False)

    assert (tmp_path / "report.json").read_bytes() == b"".join(pieces)
    assert (tmp_path / "empty").read_bytes() == b""
    assert len(sizes) == 4
    assert max(sizes) < 70_000
