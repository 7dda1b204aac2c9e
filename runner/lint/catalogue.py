"""The processes that a job names against those that its target is known to have.

The service drops an unknown parameter without a word, and gives null for an unknown result [D][M]: what it would not
tell is told here. Where the catalogue comes from is not known here, and what it does not know is not judged.
"""

import re
from collections.abc import Collection, Iterator, Mapping

from runner.catalogue.model import Catalogue, Direction, Process, ProcessVersion
from runner.foundation.guids import is_guid
from runner.foundation.near_misses import ending_in, folded
from runner.foundation.problems import Problem, Severity
from runner.foundation.raw import record
from runner.foundation.sentences import listed
from runner.foundation.suggestions import did_you_mean, suggest
from runner.foundation.values import JsonObject, Path
from runner.job.outline import Outline, RawStep
from runner.lint import entities, failures
from runner.lint.uses import results, signalled, starts
from runner.reading.document import Document

_MOST_MEANT = 4
_TELLING = 4
"""Letters by which a part of a code tells which is meant."""


def check(document: Document, known: Outline, catalogue: Catalogue) -> tuple[Problem, ...]:
    """Every process, parameter and result of the document that the catalogue does not have."""
    return tuple(problem for step in known.steps for problem in _step(document, step, catalogue))


def _step(document: Document, step: RawStep, catalogue: Catalogue) -> Iterator[Problem]:
    for path, code, fields in starts(step):
        process = catalogue.processes.get(code)
        if process is None and (family := catalogue.family_of(code)) is not None:
            process = family[0]
            message, hint = _of_a_version(*family)
            at, warning = (*path, "process"), Severity.WARNING
            yield document.problem("E148", message, path=at, hint=hint, severity=warning)
        if process is None:
            message = f"{catalogue.name} has no process `{code}`"
            hint = _process_meant(code, catalogue)
            yield document.problem("E144", message, path=(*path, "process"), hint=hint)
            continue
        number = fields.get("version")
        if path[-1] == "run" and isinstance(number, int) and not isinstance(number, bool):
            if (problem := _no_version(document, (*path, "version"), process, number)) is not None:
                yield problem
                continue
            process = process.in_version(number)
        if process.why_not is not None:
            message = f"`{process.code}` cannot be started: {process.why_not}"
            yield document.problem("E170", message, path=(*path, "process"), hint=catalogue.hint)
        if process.parameters is not None:
            yield from _parameters(document, fields, path, process)
    for at, code in signalled(step):
        if code not in catalogue.processes:
            message = f"{catalogue.name} has no process `{code}`"
            yield document.problem("E144", message, path=at, hint=_process_meant(code, catalogue))
    yield from entities.check(document, step, catalogue)
    yield from entities.check_signal(document, step, catalogue)
    yield from failures.check_patterns(document, step, catalogue)


def _of_a_version(process: Process, member: ProcessVersion) -> tuple[str, str]:
    """What a call of a version by its own code most probably does [?]: the family's active version runs."""
    which = "a version" if member.version is None else f"version {member.version}"
    runs = "the version that is active" if process.version is None else f"the active one, version {process.version}"
    does = "is active now, and another may be later" if member.active else f"a call of it most probably runs {runs}"
    message = f"`{member.code}` is {which} of `{process.code}`: {'it ' if member.active else ''}{does}"
    return message, f"call the process by its own code, `{process.code}`"


def _no_version(document: Document, at: Path, process: Process, number: int) -> Problem | None:
    """None also where the number of some version is not known."""
    known = {one.version: one.active for one in process.versions}
    if number in known or None in known:
        return None
    shown = [f"{one}{' (active)' if known[one] else ''}" for one in sorted(one for one in known if one is not None)]
    hint = f"its versions are {', '.join(shown)}" if len(shown) > 1 else f"its only version is {shown[0]}"
    return document.problem("E223", f"`{process.code}` has no version {number}", path=at, hint=hint)


def _process_meant(code: str, catalogue: Catalogue) -> str:
    if is_guid(code):
        return "a process is named by its code, as in `UsrApproveOrder`; nobody knows it by its id"
    near = suggest(code, sorted(catalogue.processes)) or _by_caption(code, catalogue.processes)
    if near:
        return f"did you mean `{near}`?"
    if around := _around(code, catalogue.processes):
        return f"did you mean {' or '.join(f'`{one}`' for one in around)}?"
    has = f"it has {listed(sorted(catalogue.processes)) or 'none'}"
    if catalogue.doubles is not None and re.fullmatch(r"\w+", code):
        return f"{has}; or write `{catalogue.doubles}/{code}.process.yaml`"
    return f"{has}; {catalogue.hint}" if catalogue.hint else has


def _by_caption(word: str, processes: Mapping[str, Process]) -> str | None:
    """The code of the process with this caption, which people read, and the service does not know."""
    wanted = word.strip().casefold()
    return next((code for code, one in processes.items() if one.caption.casefold() == wanted), None)


def _around(word: str, processes: Collection[str]) -> list[str]:
    """The few codes that end in `word` or hold it."""
    found = ending_in(word, sorted(processes)) if len(folded(word)) >= _TELLING else []
    return found if len(found) <= _MOST_MEANT else []


def _parameters(document: Document, fields: JsonObject, path: Path, process: Process) -> Iterator[Problem]:
    for name in record(fields.get("parameters")):
        if name not in process.takes:
            message = _not_there(name, process, process.gives, does="gives", does_not="take")
            hint = did_you_mean(name, sorted(process.takes)) or _takes(process.takes)
            at = (*path, "parameters", name)
            yield document.problem("E145", message, path=at, at_key=True, hint=hint)
    for at, name in results(fields, path):
        if name not in process.gives:
            message = _not_there(name, process, process.takes, does="takes", does_not="give")
            hint = did_you_mean(name, sorted(process.gives)) or _gives(process.gives)
            severity = Severity.WARNING if name in process.takes else Severity.ERROR  # its value comes back [S]
            yield document.problem("E146", message, path=at, hint=hint, severity=severity)


def _not_there(name: str, process: Process, others: Collection[str], *, does: str, does_not: str) -> str:
    """Why `name` is of no use here: it is for the other direction, for nobody, or is not there at all."""
    if name in others:
        return f"`{process.code}` {does} `{name}`, and does not {does_not} it"
    known = (process.parameters or {}).get(name)
    if known is not None and known.direction is Direction.INTERNAL:
        return f"`{process.code}` keeps `{name}` to itself"
    return f"`{process.code}` has no parameter `{name}`"


def _takes(codes: Collection[str]) -> str:
    return f"it takes {listed(sorted(codes))}" if codes else "it takes no parameters"


def _gives(codes: Collection[str]) -> str:
    return f"it gives {listed(sorted(codes))}" if codes else "it gives no results"
