"""Plans stored in a file, to carry out exactly that later: as text, with all their files, without secrets. Pure."""

import json
from collections.abc import Mapping, Sequence

from msgspec import Struct, ValidationError, convert, field

from runner.catalogue.model import ProcessElement
from runner.foundation.lazy import lazy_pattern
from runner.foundation.problems import Problem
from runner.foundation.values import Json, JsonObject, digest, items, record, text, well_formed
from runner.planning.plan import ChosenCase, Plan, stored
from runner.runs.events import TargetName
from runner.runs.evidence import StoredValue
from runner.runs.refused_starts import RefusedStart
from runner.version import VERSION

ENDING = ".plan.json"
FORMAT = 1
KIND = "creatio-runner plan"
MARK = lazy_pattern(rb'\{\s*"kind":\s*"creatio-runner plan"')  # how the file of a plan begins, and no other file
_BYTE_ORDER = "\ufeff"
_BYTE_ORDER_OR_BLANK = f"{_BYTE_ORDER} \t\r\n"
_HEAD = 200  # characters in which a file must say that it is a plan


class StoredPlan(Struct, frozen=True, kw_only=True):
    """A run as it was planned. `inputs` hold `***` for secrets; `target.url` is as the targets file had it."""

    job: str
    file: str
    sources: Mapping[str, str]
    case: ChosenCase | None
    target: TargetName
    inputs: dict[str, StoredValue]
    digest: str
    elements: tuple[ProcessElement, ...] = ()
    versions: dict[str, str] = field(default_factory=dict)
    unchecked: bool = False
    refused: tuple[RefusedStart, ...] = ()


class PlanFile(Struct, frozen=True, kw_only=True):
    """A file of plans."""

    version: str  # of the program that wrote it
    key: str  # identifies this plan
    plans: tuple[StoredPlan, ...]
    base: str = ""  # leads from its folder to that of the plan's names


def plan_file_text(plans: Sequence[Plan], *, key: str, base: str = "") -> str:
    """The text of a file with these plans; shared sources are written once. The digest has no `base` and `key`."""
    sources: dict[str, str] = {}
    runs: list[Json] = []
    for plan in plans:
        sources.update(plan.sources)
        names: list[Json] = list(plan.sources)
        runs.append({**stored(plan), "sources": names})
    texts: JsonObject = {**sources}
    whole: JsonObject = {"kind": KIND, "format": FORMAT, "version": VERSION, "key": key, "runs": runs, "sources": texts}
    if base:
        whole["base"] = base
    whole["digest"] = _digest(whole)
    return well_formed(json.dumps(whole, ensure_ascii=False, indent=1)) + "\n"


def is_plan(name: str, head: str) -> bool:
    """Whether a file is a stored plan, by its name or by its first characters."""
    return name.endswith(ENDING) or (head.lstrip(_BYTE_ORDER_OR_BLANK).startswith("{") and f'"{KIND}"' in head[:_HEAD])


def read(name: str, content: str) -> PlanFile | Problem:
    """What `plan_file_text` wrote, or what is wrong with it."""
    try:
        whole = record(json.loads(content.removeprefix(_BYTE_ORDER)))
    except (ValueError, RecursionError):
        return _no_plan(name, "it is no JSON")
    if whole.get("kind") != KIND:
        return _no_plan(name, f"it does not say `{KIND}`")
    if whole.get("format") != FORMAT:
        return _no_plan(name, f"its format is not {FORMAT}: another version of the program wrote it")
    if whole.get("digest") != _digest(whole):
        hint = "make a new plan with `runner plan SPEC --out FILE`"
        return Problem(code="E154", message="this plan was changed after it was stored", hint=hint, file=name)
    sources = _texts(whole.get("sources"))
    plans = [_plan(record(run), sources) for run in items(whole.get("runs"))]
    sound = tuple(plan for plan in plans if plan is not None)
    if not sound or len(sound) < len(plans):
        return _no_plan(name, "parts of it are missing")
    base, key = text(whole, "base") or "", text(whole, "key") or _digest(whole)
    leads_up = set(base.split("/")) == {".."}  # and nowhere else
    return PlanFile(version=text(whole, "version") or "", key=key, plans=sound, base=base if leads_up else "")


def from_record(run: JsonObject) -> StoredPlan | None:
    """A run that holds its texts itself, by their names; None where a part of it is missing."""
    sources = _texts(run.get("sources"))
    names: list[Json] = list(sources)
    return _plan({**run, "sources": names}, sources)


def _digest(whole: JsonObject) -> str:
    """A digest of all that is carried out, against accidents, not attackers."""
    return f"sha256:{digest([whole.get('runs'), whole.get('sources')])}"


def _no_plan(name: str, why: str) -> Problem:
    hint = "`runner plan SPEC --out FILE` writes a plan"
    return Problem(code="E154", message=f"this is not a stored plan: {why}", hint=hint, file=name)


def _texts(value: Json) -> dict[str, str]:
    return {name: content for name, content in record(value).items() if isinstance(content, str)}


def _plan(run: JsonObject, sources: Mapping[str, str]) -> StoredPlan | None:
    names = [str(name) for name in items(run.get("sources"))]
    texts = {name: sources[name] for name in names if name in sources}
    try:
        plan = convert({**run, "sources": texts}, StoredPlan)
    except ValidationError:
        return None
    return plan if texts.keys() >= {plan.file, *names} else None
