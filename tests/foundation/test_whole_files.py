"""A file that cannot be written as a whole is as it was before."""

import os
from pathlib import Path

import pytest

from runner.foundation.whole_files import write_text


def test_a_file_is_replaced_as_a_whole_and_keeps_who_may_read_it(tmp_path: Path) -> None:
    file, link = tmp_path / "a.yaml", tmp_path / "link.yaml"
    write_text(file, "é\n")
    file.chmod(0o640)
    link.symlink_to(file)
    write_text(link, "two\n")
    assert (file.read_bytes(), link.is_symlink()) == (b"two\n", True)
    assert file.stat().st_mode & 0o777 == 0o640
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.yaml", "link.yaml"]


def test_a_file_that_breaks_off_leaves_what_was_there(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    write_text(file, "before\n")
    (tmp_path / "a.yaml.part").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_text(file, "after\n")
    assert file.read_text() == "before\n"


def test_a_new_file_replaces_none(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    write_text(file, "before\n", new=True)
    with pytest.raises(FileExistsError):
        write_text(file, "after\n", new=True)
    assert file.read_text() == "before\n"


def test_what_is_no_file_is_written_to(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_text(pipe, "a\n")
    assert os.read(reading, 10) == b"a\n"
    os.close(reading)
