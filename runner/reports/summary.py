"""The end of an account: how a run ended, or several, where it is written down, and what its exit code means."""

from collections import Counter
from collections.abc import Iterator, Sequence

from runner.foundation.durations import written
from runner.foundation.problems import ExitCode, strongest
from runner.reports.next_steps import next_steps, standing
from runner.reports.safe import clean
from runner.reports.sentences import Sentence, Tone, Wish
from runner.reports.words import RED, brief, counted, in_doubt, meaning, meaning_of, of_trouble, said, title, warnings
from runner.runs.events import RunStatus, Section, Status
from runner.runs.result import RunResult, tally

_TONE = {RunStatus.PASSED: Tone.GOOD, RunStatus.UNKNOWN: Tone.DOUBT}


def summary(result: RunResult, wish: Wish) -> list[Sentence]:
    """How the run ended, what it gave, where it is written down, and what its exit code means."""
    counts = counted(tally(result.steps))
    tone = _TONE.get(result.status, Tone.BAD)
    verdict = Sentence(text=f"{result.status}: {title(result)}: {counts} in {written(result.seconds)}", tone=tone)
    where = f"{clean(wish.place)}, " if wish.place else ""
    events = Sentence(text=f"events: {where}{clean(result.events)}", indent=2, tone=Tone.FAINT)
    sentences = [verdict, *_trouble_of_run(result, wish, tone), *_gifts(result, wish), events]
    if result.status is not RunStatus.PASSED:
        sentences.append(_exit(result.exit_code, meaning_of(result), tone))
    return sentences + (steps_told(result, store=wish.store, held=wish.held) if wish.advice else [])


def steps_told(result: RunResult, *, store: str | None, held: bool = False) -> list[Sentence]:
    """The commands that the run needs next, each on a line of its own, so that it can be copied whole."""
    found = next_steps(result, store=store, held=held)
    head = [Sentence(text="what next:", indent=2, tone=Tone.TITLE)] if found else []
    told = [(Sentence(text=one.command, indent=4), Sentence(text=one.does, indent=6, tone=Tone.FAINT)) for one in found]
    return head + [sentence for pair in told for sentence in pair]


def _exit(code: ExitCode, words: str, tone: Tone) -> Sentence:
    return Sentence(text=f"exit {code:d}: {words}", indent=2, tone=tone)


def _trouble_of_run(result: RunResult, wish: Wish, tone: Tone) -> list[Sentence]:
    texts = of_trouble(result.error) if result.error and result.finished else []
    if where := standing(result, held=wish.held):
        texts.append(where)
    if doubt := in_doubt(result.steps):
        texts.append(doubt)
    if result.undo != "none":
        texts.append(_undo(result))
    if result.help and result.status is not RunStatus.PASSED:
        texts += said("help", result.help)
    sentences = [Sentence(text=text, indent=2, tone=tone) for text in texts]
    sentences += [Sentence(text=f"warning: {text}", indent=2, tone=Tone.WARNING) for text in _hollow(result)]
    if wish.quiet:  # rows that passed are not shown then, and neither are their warnings
        sentences += [Sentence(text=text, indent=2, tone=Tone.WARNING) for text in _of_rows_that_passed(result)]
    if result.log_unreadable:
        told = said("warning: the process log cannot be read", result.log_unreadable.message)
        told += said("hint", result.log_unreadable.hint) if result.log_unreadable.hint else []
        sentences += [Sentence(text=text, indent=2, tone=Tone.WARNING) for text in told]
    return sentences


def _hollow(result: RunResult) -> Iterator[str]:
    """What a run that looks well did not do."""
    if result.steps and all(step.status is Status.SKIPPED for step in result.steps):
        yield "every step was skipped"
    if result.finished and not result.steps:
        yield "no step was carried out"
    ignored = [clean(step.key) for step in result.steps if step.status in RED]
    if result.status is RunStatus.PASSED and ignored:
        yield f"did not pass, and does not count: {', '.join(ignored)}"


def _of_rows_that_passed(result: RunResult) -> Iterator[str]:
    for step in result.steps:
        if step.status is Status.PASSED:
            yield from (f"{clean(step.key)}: {line}" for line in warnings(step))


def _undo(result: RunResult) -> str:
    """Whether what had passed was undone, and what was not."""
    left = [clean(step.key) for step in result.steps if step.section is Section.UNDO and step.status in RED]
    return f"undo: {clean(result.undo)}" + (f": {', '.join(left)} did not pass" if left else "")


def _gifts(result: RunResult, wish: Wish) -> list[Sentence]:
    if wish.quiet:
        return []
    return [Sentence(text=f"outputs.{clean(name)}: {brief(value)}", indent=2) for name, value in result.outputs.items()]


def totals(results: Sequence[RunResult]) -> list[Sentence]:
    """The last words of a command that carried out several runs, or none."""
    code = strongest(result.exit_code for result in results)
    counts = Counter(result.status for result in results)
    told = ", ".join(f"{counts[status]} {status}" for status in RunStatus if counts[status]) or "nothing ran"
    others = (result for result in results if result.status is not RunStatus.PASSED)
    tone = Tone.GOOD if code is ExitCode.PASSED else Tone.BAD
    return [
        Sentence(text=f"{len(results)} {'run' if len(results) == 1 else 'runs'}: {told}", tone=tone),
        *(Sentence(text=f"{result.status}: {title(result)}", indent=2) for result in others),
        _exit(code, meaning(code), tone),
    ]
