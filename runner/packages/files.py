"""The files of a schema: JSON and resources, perhaps with a byte order mark. An unreadable file is a warning."""

import json
from pathlib import Path
from typing import Final
from xml.parsers import expat

from msgspec.structs import replace

from runner.foundation.problems import Problem, Severity
from runner.foundation.values import JsonObject, record, well_formed
from runner.reading.files import display_path
from runner.reading.source import Source

LARGEST: Final = 64 * 2**20  # bytes of a file. The vendor's largest process has some two million.


class BrokenError(Exception):
    """A file that cannot be read, with the problem that says so."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def json_of(file: Path) -> JsonObject:
    """The record in a file. Raises `BrokenError`."""
    text = text_of(file)
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise broken(file, f"it is no JSON: {error.msg}", source=text, at=error.pos) from None
    except (ValueError, RecursionError):
        raise broken(file, "it is no JSON that can be read: too deep, or a number too long") from None
    if not isinstance(value, dict):
        raise broken(file, "it holds no record")
    return record(value)


def captions_of(file: Path) -> dict[str, str]:
    """Texts by the names of resources. Raises `BrokenError`."""
    found: dict[str, str] = {}

    def start(name: str, attributes: dict[str, str]) -> None:
        text = attributes.get("Value")
        if name == "Item" and text and "Name" in attributes:
            found[attributes["Name"]] = " ".join(well_formed(text).split())

    def doctype(*_: object) -> None:
        raise broken(file, "it has a document type, which is not read here")

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(text_of(file).encode(), True)  # noqa: FBT003  expat takes it by position
    except expat.ExpatError as error:
        raise broken(file, f"it is no whole XML: {error}") from None
    return found


def text_of(file: Path) -> str:
    """The text of a file, without its mark. Raises `BrokenError`."""
    try:
        if file.stat().st_size > LARGEST:
            raise broken(file, f"it is larger than {LARGEST // 2**20} MiB")
        return file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise broken(file, "it is not UTF-8") from None
    except OSError as error:
        raise broken(file, error.strerror or str(error)) from None


def broken(file: Path, why: str, *, source: str = "", at: int | None = None) -> BrokenError:
    """The problem of a file; `at` is a place in its text, `source`."""
    message = f"this file of a package cannot be read: {why}"
    if at is None:
        return BrokenError(Problem(code="E191", message=message, file=display_path(file), severity=Severity.WARNING))
    problem = Source(display_path(file), source).problem("E191", message, at=(at, min(at + 1, len(source))))
    return BrokenError(replace(problem, severity=Severity.WARNING))
