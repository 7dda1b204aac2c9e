"""Files that are there whole, or not at all."""

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
