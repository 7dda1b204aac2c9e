"""The processes that a job names against those that its target is known to have.

The service drops an unknown parameter without a word, and gives null for an unknown result [D][M]. Where the catalogue
comes from is not known here, and what it does not know is not judged.
"""

import re
from collections.abc import Collection
from fnmatch import fnmatchcase

from runner.catalogue.model import Catalogue, Direction, Process, ProcessVersion
from runner.foundation.guids import is_guid
from runner.foundation.near_misses import ending_in, folded
from runner.foundation.raw import items, record
from runner.foundation.sentences import listed
from runner.foundation.suggestions import near_or_listed, suggest
from runner.foundation.values import JsonObject, Path
from runner.job.outline import RawStep
from runner.lint.addresses import is_address
from runner.lint.uses import results, signalled, starts
from runner.reading.collector import ProblemCollector

_MOST_NEAR = 4
_ENOUGH = 4
"""So many letters of a code lead to it."""


def check_processes(step: RawStep, catalogue: Catalogue, problems: ProblemCollector) -> None:
    """Every process, parameter and result of the step that the catalogue does not have."""
    for path, code, fields in starts(step):
        process = _process(code, fields, path, catalogue=catalogue, problems=problems)
        if process is None:
            continue
        if process.why_not is not None:
            message = f"`{process.code}` cannot be started: {process.why_not}"
            problems.report("E170", message, (*path, "process"), hint=catalogue.hint)
        if process.parameters is not None:
            _parameters(fields, path, process, catalogue=catalogue, problems=problems)
    for path, code in signalled(step):
        if code not in catalogue.processes:
            _no_process(code, path, catalogue, problems)
    for index, pattern in enumerate(items(record(step.fields.get("failures")).get("processes"))):
        codes = sorted(catalogue.processes)
        if isinstance(pattern, str) and not any(fnmatchcase(code, pattern) for code in codes):
            message = f"{catalogue.name} has no process that fits `{pattern}`"
            at = (*step.path, "failures", "processes", index)
            problems.report("E198", message, at, hint=near_or_listed(pattern, codes))


def _process(
    code: str, fields: JsonObject, path: Path, *, catalogue: Catalogue, problems: ProblemCollector
) -> Process | None:
    """The process, in the version that a `run` asks for."""
    process = catalogue.processes.get(code)
    if process is None and (family := catalogue.family_of(code)) is not None:
        process = family[0]
        message, hint = _called_version(*family)
        problems.report("E148", message, (*path, "process"), hint=hint, warning=True)
    if process is None:
        _no_process(code, (*path, "process"), catalogue, problems)
        return None
    number = fields.get("version")
    if path[-1] != "run" or not isinstance(number, int) or isinstance(number, bool):
        return process
    versions = {version.version: version.active for version in process.versions}
    if number in versions or None in versions:  # the number of some version may be unknown
        return process.in_version(number)
    known = sorted(number for number in versions if number is not None)
    shown = [f"{number}{' (active)' if versions[number] else ''}" for number in known]
    hint = f"its versions are {', '.join(shown)}" if len(shown) > 1 else f"its only version is {shown[0]}"
    message = f"`{process.code}` has no version {number}"
    problems.report("E223", message, (*path, "version"), hint=_or_refreshed(hint, catalogue))
    return None


def _called_version(process: Process, member: ProcessVersion) -> tuple[str, str]:
    """What a call of a version by its own code most probably does [?]: the family's active version runs."""
    which = "a version" if member.version is None else f"version {member.version}"
    runs = "the version that is active" if process.version is None else f"the active one, version {process.version}"
    does = "it is active now, and another may be later" if member.active else f"a call of it most probably runs {runs}"
    message = f"`{member.code}` is {which} of `{process.code}`: {does}"
    return message, f"call the process by its own code, `{process.code}`"


def _no_process(code: str, path: Path, catalogue: Catalogue, problems: ProblemCollector) -> None:
    """Of an address is reported elsewhere that it is no code."""
    if is_address(code):
        return
    problems.report("E144", f"{catalogue.name} has no process `{code}`", path, hint=_code_hint(code, catalogue))


def _code_hint(code: str, catalogue: Catalogue) -> str:
    if is_guid(code):
        return "name a process by its code, as in `UsrApproveOrder`; nobody knows it by its id"
    codes, caption = sorted(catalogue.processes), code.strip().casefold()
    with_caption = (known for known, process in catalogue.processes.items() if process.caption.casefold() == caption)
    around = ending_in(code, codes) if len(folded(code)) >= _ENOUGH else []
    near = suggest(code, codes) or next(with_caption, None)
    if near or 0 < len(around) <= _MOST_NEAR:
        words = " or ".join(f"`{each}`" for each in ([near] if near else around))
        return _or_refreshed(f"did you mean {words}?", catalogue)
    has = f"it has {listed(codes) or 'none'}"
    if catalogue.doubles is not None and re.fullmatch(r"\w+", code):
        return f"{has}; or write `{catalogue.doubles}/{code}.process.yaml`"
    return _or_refreshed(has, catalogue)


def _or_refreshed(hint: str, catalogue: Catalogue) -> str:
    """The hint, and how to refresh the catalogue: the site may have by now what is not in it."""
    refresh = catalogue.hint
    if not refresh:
        return hint
    return f"{hint} {refresh[0].upper()}{refresh[1:]}" if hint.endswith("?") else f"{hint}; {refresh}"


def _parameters(
    fields: JsonObject, path: Path, process: Process, *, catalogue: Catalogue, problems: ProblemCollector
) -> None:
    for name in record(fields.get("parameters")):
        if name not in process.takes:
            message = _not_there(name, process, process.gives, does="gives", does_not="take")
            hint = near_or_listed(name, process.takes, has="it takes", none="no parameters")
            at = (*path, "parameters", name)
            problems.report("E145", message, at, at_key=True, hint=_or_refreshed(hint, catalogue))
    for at, name in results(fields, path):
        if name not in process.gives:
            message = _not_there(name, process, process.takes, does="takes", does_not="give")
            hint = near_or_listed(name, process.gives, has="it gives", none="no results")
            is_given_back = name in process.takes  # [S]
            problems.report("E146", message, at, hint=_or_refreshed(hint, catalogue), warning=is_given_back)


def _not_there(name: str, process: Process, others: Collection[str], *, does: str, does_not: str) -> str:
    """Why `name` is of no use here: it is for the other direction, for nobody, or is not there at all."""
    if name in others:
        return f"`{process.code}` {does} `{name}`, and does not {does_not} it"
    known = (process.parameters or {}).get(name)
    if known is not None and known.direction is Direction.INTERNAL:
        return f"`{process.code}` keeps `{name}` to itself"
    return f"`{process.code}` has no parameter `{name}`"
