"""What differs between two catalogues, as people and programs read it: what matters to the jobs comes first."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from msgspec import Struct
from msgspec.structs import asdict

from runner.catalogue.differences import About, CatalogueDifference, Drift
from runner.foundation.sentences import plural
from runner.foundation.values import Json, JsonObject
from runner.reports.safe import clean, json_document

_MOST_PLACES: Final = 8


class CatalogueComparison(Struct, frozen=True, kw_only=True):
    """The differences between two catalogues."""

    before: str
    after: str
    drifts: tuple[Drift, ...]
    has_jobs: bool = False  # some differences matter to named jobs


def text(found: CatalogueComparison) -> str:
    return "".join(f"{clean(line)}\n" if line.strip() else "\n" for line in _lines(found))


def as_json(found: CatalogueComparison) -> str:
    differences: list[Json] = [_record(drift) for drift in found.drifts]
    return json_document({"format": 1, "before": found.before, "after": found.after, "differences": differences})


FORMATS: Final[Mapping[str, Callable[[CatalogueComparison], str]]] = {"text": text, "json": as_json}


def _lines(found: CatalogueComparison) -> Iterator[str]:
    if not found.drifts:
        yield f"{found.before} and {found.after}: nothing differs"
        return
    yield f"{found.before} and {found.after}: {plural(len(found.drifts), 'difference')}"
    matters = [drift for drift in found.drifts if drift.places]
    rest = [drift for drift in found.drifts if not drift.places]
    if matters:
        yield f"{len(matters)} of them {'matter' if len(matters) > 1 else 'matters'} to the jobs:"
        yield from _each(matters, found)
    if rest and found.has_jobs:
        yield "the jobs use nothing of this:" if matters else "none of them matters to the jobs:"
    yield from _each(rest, found)


def _each(drifts: Iterable[Drift], found: CatalogueComparison) -> Iterator[str]:
    for drift in drifts:
        yield f"  {sentence(drift.difference, before=found.before, after=found.after)}"
        yield from (f"      used in {place}" for place in drift.places[:_MOST_PLACES])
        if len(drift.places) > _MOST_PLACES:
            yield f"      and in {len(drift.places) - _MOST_PLACES} places more"


def sentence(difference: CatalogueDifference, *, before: str, after: str) -> str:
    """A place that differs between two catalogues, which are named."""
    if difference.before is None or difference.after is None:
        side, value = (after, difference.after) if difference.before is None else (before, difference.before)
        return f"{_about(difference)}: only in {side}" + ("" if difference.about is About.PROCESS else f", {value}")
    return f"{_about(difference)}: {difference.before or 'empty'} in {before}, {difference.after or 'empty'} in {after}"


def _about(difference: CatalogueDifference) -> str:
    """A note names what it is about; the active version has no name of its own."""
    named = difference.about in (About.PARAMETER, About.ELEMENT, About.VERSION) and bool(difference.name)
    own = {About.NOTE: difference.name, About.VERSION: str(difference.about)}.get(difference.about, "")
    what = f": {difference.about} `{difference.name}`" if named else f": its {own}" if own else ""
    return f"`{difference.process}`{what}"


def _record(drift: Drift) -> JsonObject:
    name, about = drift.difference.name or None, str(drift.difference.about)
    return {**asdict(drift.difference), "about": about, "name": name, "used_in": [*drift.places]}
