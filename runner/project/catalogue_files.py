"""The catalogues that a command names: read, made of what a site answered, written; and what jobs use of them."""

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Final

from runner.catalogue.differences import Use, differences
from runner.catalogue.model import ENDING, Catalogue, Pulled
from runner.catalogue.read import read_catalogue
from runner.catalogue.write import OF_PACKAGES, OF_SITE, catalogue_text
from runner.foundation import whole_files
from runner.foundation.problems import Problem, Severity, UsageError, errors_in
from runner.foundation.sentences import first_few, plural
from runner.lint.uses import uses
from runner.packages.reading import Packages, read_packages
from runner.project.ci_run import user
from runner.project.ignored_files import empty_folders
from runner.project.job_files import JobFiles
from runner.project.paths import job_paths, refused_by_system
from runner.project.pulling import NoAnswerError
from runner.reading.document import Document
from runner.reading.encoding import LARGEST_FILE
from runner.reading.files import display_path
from runner.secrets.redact import Secrets
from runner.targets.model import CLIO

_MOST_CODES: Final = 5
_MOST_WARNINGS: Final = 10


def place_of(target: str, *, targets_file: Path | None) -> Path:
    """Where the catalogue of a target lies: beside its targets file, under its name. Raises `UsageError`."""
    name = target.removeprefix(CLIO)
    if not name or set(name) & set('/\\:*?"<>|'):
        message = f"target `{name}` has a name that no file can have"
        raise UsageError(Problem(code="E150", message=message, hint="name the file with `--out` or `--catalog`"))
    return (targets_file.parent if targets_file else Path()) / f"{name}{ENDING}"


def file_named(word: str) -> Path | None:
    """The file, or the folder of packages, that a word of the command line names; None where it names a target."""
    path = Path(word)
    return path if word.endswith((".yaml", ".yml")) or path.exists() else None


def read_file(file: Path, *, warn: Callable[[Problem], None], of_packages: bool = False) -> Catalogue:
    """The catalogue in a file, or of the packages in a folder. Raises `UsageError` where there is none.

    `of_packages`: it says what a site should have, so that to pull it from the site would say nothing.
    """
    if file.is_dir():
        return packages_in([file], warn=warn).catalogue
    found = read_catalogue(file, name=display_path(file))
    if isinstance(found, Catalogue):
        return found
    if not file.exists():
        message = f"there is no catalogue {display_path(file)}"
        target, ending, _ = file.name.rpartition(ENDING)
        pulled = f"pull -t {target}" if ending else f"pull -t NAME --out {display_path(file)}"
        hint = f"`runner catalog {f'build PACKAGES -o {display_path(file)}' if of_packages else pulled}` writes it"
        raise UsageError(Problem(code="E179", message=message, hint=hint))
    raise UsageError(*found)


def packages_in(packages: Sequence[Path], *, warn: Callable[[Problem], None]) -> Packages:
    """The packages in folders; `warn` gets unreadable parts. Raises `UsageError`."""
    found = read_packages(packages)
    if errors_in(found.problems):
        raise UsageError(*found.problems)
    for problem in found.problems:
        warn(problem)
    return found


def check_place(file: Path, *, of_packages: bool = False) -> None:
    """Raise `UsageError` unless there is nothing, or a catalogue, also broken (`of_packages`: of `catalog build`)."""
    if not file.exists() or (file.is_file() and not file.stat().st_size):
        return
    held = read_catalogue(file, name=display_path(file)) if file.is_file() else ()
    content = file.read_bytes() if file.is_file() else b""
    what = "is a folder" if file.is_dir() else "holds something else"
    if not of_packages:
        is_ours = not file.is_file() or isinstance(held, Catalogue) or OF_SITE.encode() in content
    elif isinstance(held, Catalogue):
        is_ours = bool(held.packages)
        what = f"holds the catalogue of {held.site}" if held.site else "holds another catalogue"
    else:
        is_ours = content.startswith(OF_PACKAGES.encode())
    if not is_ours:
        message = f"the catalogue cannot be written to {display_path(file)}: it is there already, and {what}"
        raise UsageError(Problem(code="E153", message=message, hint="choose another name"))


def write_file(found: Catalogue, file: Path) -> str:
    """Write the file where the site has changed, and say so; else it stays as it is. Raises `UsageError`."""
    name, idle = display_path(file), sum(process.why_not is not None for process in found.processes.values())
    counted = plural(len(found.processes), "process", "processes")
    counted += f", {idle} of which cannot be started" if idle else ""
    before = read_catalogue(file, name=name) if file.exists() else None
    if not isinstance(before, Catalogue):
        _put(file, catalogue_text(found))
        return f"{name}: {counted}"
    changed = differences(before, found)
    is_same = not changed and (before.site, before.packages) == (found.site, found.packages)
    if not is_same:
        _put(file, catalogue_text(found))
    elif before.pulled is not None:
        return f"{name}: nothing has changed since {before.pulled.at}: {counted}"
    return f"{name}: {counted}, {plural(len(changed), 'difference')} to what it held"


def _put(file: Path, content: str) -> None:
    if len(content.encode()) > LARGEST_FILE:
        message = f"the catalogue would be larger than {LARGEST_FILE // 2**20} MiB, and could not be read again"
        raise UsageError(Problem(code="E179", message=message))
    with refused_by_system(f"the catalogue {display_path(file)} cannot be written", code="E179"):
        whole_files.write_text(file, content)


def used_by(specs: Sequence[Path]) -> tuple[Use, ...]:
    """What the jobs in `specs` use. Raises `UsageError` for their mistakes."""
    return uses(documents_of(specs))


def documents_of(specs: Sequence[Path]) -> Collection[Document]:
    """The files of the jobs in `specs`, with all that they include. Raises `UsageError`, also for a folder of none."""
    problems = [*empty_folders(specs, recursive=False, has_options=False)]
    files = JobFiles(problems=problems)
    documents: dict[str, Document] = {}
    for path in job_paths(specs):
        opened = files.open(path)
        documents |= opened.documents if opened is not None else {}
    if errors_in(problems):
        raise UsageError(*problems)
    return documents.values()


def no_answer(error: NoAnswerError, secrets: Secrets) -> Problem:
    trouble = error.trouble
    hint = trouble.hint and secrets.mask(trouble.hint)
    return Problem(code=trouble.code, message=secrets.mask(trouble.message), hint=hint)


def stamp() -> Pulled:
    return Pulled(at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), by=user() or "unknown")


def unreadable(found: Sequence[tuple[str, str]], *, mask: Callable[[str], str]) -> list[Problem]:
    """A warning for each sentence on what could not be read, with the codes of its processes; of many the first."""
    codes: dict[str, dict[str, None]] = {}
    for code, sentence in found:
        codes.setdefault(mask(sentence), {})[f"`{code}`"] = None
    messages = []
    for sentence, given in islice(codes.items(), _MOST_WARNINGS):
        messages.append(f"{first_few([*given], _MOST_CODES)}: {sentence}")
    if len(codes) > _MOST_WARNINGS:
        among = plural(len({code for code, _ in found}), "process", "processes")
        messages.append(f"{plural(len(codes) - _MOST_WARNINGS, 'more thing')} could not be read, in {among} altogether")
    hint = "no job is checked against this: it counts as unknown"
    return [Problem(code="E178", message=message, hint=hint, severity=Severity.WARNING) for message in messages]
