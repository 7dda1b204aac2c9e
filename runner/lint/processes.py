"""The processes that a job names, compared with those of its target; what a catalogue does not know is not judged.

The service ignores an unknown parameter, and gives null for an unknown result [D][M].
"""

import re
from collections.abc import Collection, Iterator
from fnmatch import fnmatchcase

from runner.catalogue.model import Catalogue, Direction, Process, ProcessVersion
from runner.foundation import hints
from runner.foundation.problems import Finding
from runner.foundation.sentences import listed
from runner.foundation.suggestions import did_you_mean, ending_in, folded, near_or_listed, suggest
from runner.foundation.values import JsonObject, ValuePath, items, mended_guid, record
from runner.job.outline import Outline, RawStep
from runner.lint.addresses import is_address
from runner.lint.uses import named_elements, process_of, results, signalled, starts

_MOST_NEAR = 4
_ENOUGH = 4  # so many letters of a code lead to it


def check_processes(step: RawStep, catalogue: Catalogue) -> Iterator[Finding]:
    """Every process, parameter and result of the step that the catalogue does not have."""
    for path, code, fields in starts(step):
        process, at = catalogue.processes.get(code), (*path, "process")
        if process is None and (family := catalogue.family_of(code)) is not None:
            process = family[0]
            message, hint = _called_version(*family)
            yield Finding(code="E148", message=message, path=at, hint=hint, warning=True)
        if process is None:
            yield from _no_process(code, at, catalogue)
        else:
            yield from _start(process, fields, path, catalogue)
            if process.changes and step.fields.get("effect") == "read":
                yield _no_reading(process, step)
    for path, code in signalled(step):
        if code not in catalogue.processes:
            yield from _no_process(code, path, catalogue)
    for index, pattern in enumerate(items(record(step.fields.get("failures")).get("processes"))):
        codes = sorted(catalogue.processes)
        if isinstance(pattern, str) and not any(fnmatchcase(code, pattern) for code in codes):
            message, at = (
                f"{catalogue.name} has no process that fits `{pattern}`",
                (*step.path, "failures", "processes"),
            )
            yield Finding(code="E198", message=message, path=(*at, index), hint=near_or_listed(pattern, codes))


def _no_reading(process: Process, step: RawStep) -> Finding:
    message = f"`effect: read` is for what changes nothing, and the double of `{process.code}` changes records"
    hint = "write `effect: idempotent` if the process may be started twice, else leave `effect` out"
    shown = f"{message} of {listed(sorted(process.changes))}"
    return Finding(code="E107", message=shown, path=(*step.path, "effect"), hint=hint, warning=True)


def _start(process: Process, fields: JsonObject, path: ValuePath, catalogue: Catalogue) -> Iterator[Finding]:
    """What is wrong with a start of the process, in the version that a `run` asks for."""
    number = fields.get("version")
    if path[-1] == "run" and isinstance(number, int) and not isinstance(number, bool):
        versions = {version.version: version.active for version in process.versions}
        if number not in versions and None not in versions:  # the number of some version may be unknown
            known = sorted(number for number in versions if number is not None)
            shown = [f"{number}{' (active)' if versions[number] else ''}" for number in known]
            hint = f"its versions are {', '.join(shown)}" if len(shown) > 1 else f"its only version is {shown[0]}"
            message, hint = f"`{process.code}` has no version {number}", _or_refreshed(hint, catalogue)
            yield Finding(code="E223", message=message, path=(*path, "version"), hint=hint)
            return
        if len(same := [version.code for version in process.versions if version.version == number]) > 1:
            message = f"{len(same)} versions of `{process.code}` have the number {number}: {listed(same)}"
            hint = "without `version` the active version runs"
            yield Finding(code="E224", message=message, path=(*path, "version"), hint=hint)
            return
        process = process.in_version(number)
    if process.why_not is not None:
        message = f"`{process.code}` cannot be started: {process.why_not}"
        yield Finding(code="E170", message=message, path=(*path, "process"), hint=catalogue.hint)
    if process.parameters is None:
        yield from _not_checked(fields, path, process, catalogue)
    else:
        yield from _parameters(fields, path, process, catalogue)


def _not_checked(fields: JsonObject, path: ValuePath, process: Process, catalogue: Catalogue) -> Iterator[Finding]:
    """Warn of names that the service may ignore, of a process with an unreadable design."""
    if process.unread is not None and any(fields.get(key) for key in ("parameters", "result", "results")):
        message = f"names of parameters of `{process.code}` were not checked: {catalogue.name} does not have them"
        hint = _or_refreshed("check that the user may read the design of the process", catalogue)
        yield Finding(code="E178", message=message, path=(*path, "process"), hint=hint, warning=True)


def _called_version(process: Process, member: ProcessVersion) -> tuple[str, str]:
    """What a call of a version by its own code most probably does [?]: the family's active version runs."""
    which = "a version" if member.version is None else f"version {member.version}"
    runs = "the version that is active" if process.version is None else f"the active version, {process.version}"
    does = "it is active now, and another may be later" if member.active else f"a call of it most probably runs {runs}"
    message = f"`{member.code}` is {which} of `{process.code}`: {does}"
    return message, f"call the process by its own code, `{process.code}`"


def _no_process(code: str, path: ValuePath, catalogue: Catalogue) -> Iterator[Finding]:
    """The problem of an unknown process; an address is reported elsewhere."""
    if not is_address(code):
        message = f"{catalogue.name} has no process `{code}`"
        yield Finding(code="E144", message=message, path=path, hint=_code_hint(code, catalogue))


def _code_hint(code: str, catalogue: Catalogue) -> str:
    if uid := mended_guid(code):
        of = (
            known for known in catalogue.processes.values() for version in known.versions if version.uid == uid.lower()
        )
        called = next((known.code for known in of), "UsrApproveOrder")
        return f"name a process by its code, as in `{called}`; nobody knows it by its id"
    codes, caption = sorted(catalogue.processes), code.strip().casefold()
    near = suggest(code, codes)
    with_caption = [known for known in codes if not near and catalogue.processes[known].caption.casefold() == caption]
    if len(with_caption) > _MOST_NEAR:
        return f"{len(with_caption)} processes have this caption: write the code, as {listed(with_caption)}"
    around = with_caption or (ending_in(code, codes) if len(folded(code)) >= _ENOUGH else [])
    if near or 0 < len(around) <= _MOST_NEAR:
        words = " or ".join(f"`{each}`" for each in ([near] if near else around))
        return _or_refreshed(f"did you mean {words}?", catalogue)
    has = f"it has {listed(codes) or 'none'}"
    if catalogue.doubles is not None and re.fullmatch(r"\w+", code):
        file = f"`{catalogue.doubles}/{code}.process.yaml`"
        return f"{has}; or write {file}: `runner catalog doubles` makes it of the catalogue of a site"
    return _or_refreshed(has, catalogue)


def _or_refreshed(hint: str, catalogue: Catalogue) -> str:
    """The hint, and how to refresh the catalogue: the site may have by now what is not in it."""
    refresh = catalogue.hint
    if not refresh:
        return hint
    return f"{hint} {refresh[0].upper()}{refresh[1:]}" if hint.endswith("?") else f"{hint}; {refresh}"


def check_element_values(step: RawStep, job: Outline, catalogue: Catalogue) -> Iterator[Finding]:
    """Every value for an element that its process, a double, does not take."""
    for named in named_elements(step):
        if (double := catalogue.double(process_of(named.of, step, job))) is not None:
            yield from _parameters({"parameters": named.parameters}, named.parameters_at[:-1], double, catalogue)


def _parameters(fields: JsonObject, path: ValuePath, process: Process, catalogue: Catalogue) -> Iterator[Finding]:
    for name in record(fields.get("parameters")):
        if name not in process.takes:
            message = _not_there(name, process, process.gives, does="gives", does_not="take")
            hint = _captioned(name, process, process.takes) or did_you_mean(name, sorted(process.takes))
            hint = hint or hints.at_place("keys", "parameters", folded(name))
            hint = hint or near_or_listed(name, process.takes, has="it takes", none="no parameters")
            hint = _or_refreshed(hint, catalogue)
            yield Finding(code="E145", message=message, path=(*path, "parameters", name), at_key=True, hint=hint)
    for at, name in results(fields, path):
        if name not in process.gives:
            message = _not_there(name, process, process.takes, does="takes", does_not="give")
            hint = _captioned(name, process, process.gives)
            hint = hint or near_or_listed(name, process.gives, has="it gives", none="no results")
            hint = _or_refreshed(hint, catalogue)
            is_given_back = name in process.takes  # [S]
            yield Finding(code="E146", message=message, path=at, hint=hint, warning=is_given_back)


def _captioned(name: str, process: Process, known: Collection[str]) -> str | None:
    """The code of the parameter that people see under this name."""
    caption, all_codes = name.strip().casefold(), process.parameters or {}
    found = (code for code in known if code in all_codes and all_codes[code].caption.casefold() == caption)
    return next((f"write its code: `{code}`" for code in found), None)


def _not_there(name: str, process: Process, others: Collection[str], *, does: str, does_not: str) -> str:
    """Why `name` is of no use here: it is for the other direction, for nobody, or is not there at all."""
    if name in others:
        return f"`{process.code}` {does} `{name}`, and does not {does_not} it"
    known = (process.parameters or {}).get(name)
    if known is not None and known.direction is Direction.INTERNAL:
        return f"`{process.code}` keeps `{name}` to itself"
    return f"`{process.code}` has no parameter `{name}`"
