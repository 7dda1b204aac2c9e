"""Catalogue files for a command: where they lie, reading one, writing one only where something has changed."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from runner.catalogue.differences import differences
from runner.catalogue.model import Catalogue
from runner.catalogue.read import ENDING, read_catalogue
from runner.catalogue.write import OF_PACKAGES, OF_SITE, written
from runner.cli import output
from runner.foundation.problems import Problem, UsageError, are_errors
from runner.packages.reading import Packages, read_packages
from runner.project.paths import called
from runner.reading.encoding import LARGEST_FILE
from runner.reports import mistakes
from runner.targets import clio


def place_of(target: str, *, targets_file: Path | None) -> Path:
    """Where the catalogue of a target lies: beside its targets file, under its name. Raises `UsageError`."""
    name = target.removeprefix(clio.PREFIX)
    if not name or set(name) & set('/\\:*?"<>|'):
        message = f"target `{name}` has a name that no file can have"
        raise UsageError(Problem(code="E150", message=message, hint="name the file with `--out` or `--catalog`"))
    return (targets_file.parent if targets_file else Path()) / f"{name}{ENDING}"


def stored(name: str) -> Path | None:
    """The file that a word of the command line means, None where it is the name of a target."""
    path = Path(name)
    return path if name.endswith((".yaml", ".yml")) or path.is_file() else None


def read_file(file: Path) -> Catalogue:
    """The catalogue in a file, or of the packages in a folder. Raises `UsageError` where there is none."""
    if file.is_dir():
        return packages_in([file]).catalogue
    found = read_catalogue(file, name=called(file))
    if isinstance(found, Catalogue):
        return found
    if not file.exists():
        message, hint = f"there is no catalogue {called(file)}", "`runner catalog pull` writes it"
        raise UsageError(Problem(code="E179", message=message, hint=hint))
    raise UsageError(*found)


def packages_in(folders: Sequence[Path]) -> Packages:
    """The packages in folders; what of them cannot be read is printed as warnings. Raises `UsageError` for errors."""
    found = read_packages(folders, called=called)
    if are_errors(found.problems):
        raise UsageError(*found.problems)
    output.say_lines(mistakes.text(found.problems))
    return found


def check_own(file: Path) -> None:
    """See that nothing is written over but what `catalog build` has written. Raises `UsageError`."""
    if not file.exists() or (file.is_file() and not file.stat().st_size):
        return
    held = read_catalogue(file, name=called(file)) if file.is_file() else ()
    if isinstance(held, Catalogue):
        if held.packages:
            return
        what = f"holds the catalogue of {held.site}" if held.site else "holds another catalogue"
    elif file.is_file() and file.read_bytes().startswith(OF_PACKAGES.encode()):
        return  # its own, and broken: a merge conflict perhaps
    else:
        what = "is a folder" if file.is_dir() else "holds something else"
    message = f"the catalogue cannot be written to {called(file)}: it is there already, and {what}"
    raise UsageError(Problem(code="E153", message=message, hint="choose another name"))


def check_place(file: Path) -> None:
    """See before the site is asked that only a catalogue is written over, a broken one of ours, too, perhaps by a merge
    conflict. Raises `UsageError`.
    """
    if not file.is_file() or not file.stat().st_size or OF_SITE.encode() in file.read_bytes():
        return
    if not isinstance(read_catalogue(file, name=called(file)), Catalogue):
        message = f"the catalogue cannot be written to {called(file)}: it is there already, and holds something else"
        raise UsageError(Problem(code="E153", message=message, hint="choose another name"))


def write_file(found: Catalogue, file: Path) -> Iterator[str]:
    """Write the file where the site has changed; say what was done. Raises `UsageError` where it cannot be written.

    Else it stays as it is, with its stamp, and with what people have written into it.
    """
    name = called(file)
    before = read_catalogue(file, name=name) if file.exists() else None
    old = before if isinstance(before, Catalogue) else None
    changed = differences(old, found) if old is not None else ()
    is_same = old is not None and not changed and (old.site, old.packages) == (found.site, found.packages)
    if not is_same:
        _put(file, written(found))
    if is_same and old is not None and old.pulled is not None:
        yield f"{name}: nothing has changed since {old.pulled.at}: {_counted(found)}"
    else:
        news = f", {_many(len(changed), 'difference')} to what it held" if old is not None else ""
        yield f"{name}: {_counted(found)}{news}"


def _put(file: Path, text: str) -> None:
    if len(text.encode()) > LARGEST_FILE:
        message = f"the catalogue would be larger than {LARGEST_FILE // 2**20} MiB, and could not be read again"
        raise UsageError(Problem(code="E179", message=message))
    try:
        file.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        message = f"the catalogue {called(file)} cannot be written: {error.strerror or error}"
        raise UsageError(Problem(code="E179", message=message)) from error


def _counted(found: Catalogue) -> str:
    idle = sum(process.why_not is not None for process in found.processes.values())
    told = f", {idle} of which cannot be started" if idle else ""
    return f"{_many(len(found.processes), 'process', 'processes')}{told}"


def _many(number: int, word: str, words: str | None = None) -> str:
    return f"{number} {word if number == 1 else words or word + 's'}"
