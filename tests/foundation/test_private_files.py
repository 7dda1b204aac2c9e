"""Files that are there whole, or not at all."""

import os
from pathlib import Path

import pytest

from runner.foundation.private_files import write_whole


def test_a_file_that_a_fault_ends_is_as_before_and_nothing_lies_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(file: int, content: bytes) -> int:
        del file, content
        raise ZeroDivisionError

    write_whole(tmp_path / "report.json", b"before")
    monkeypatch.setattr(os, "write", write)
    with pytest.raises(ZeroDivisionError):
        write_whole(tmp_path / "report.json", b"after")
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("report.json", b"before")]
