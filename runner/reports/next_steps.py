"""What an open or doubtful run needs next: what is known of it, and the commands that settle it. Nothing is guessed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from runner.foundation.problems import Problem
from runner.foundation.sentences import job_and_case
from runner.foundation.shell_words import shell_word
from runner.foundation.values import canonical_text
from runner.reports.safe import clean
from runner.reports.words import (
    doubt_sentence,
    doubtful,
    has_begun,
    is_by_hand,
    is_lost,
    is_of_fleet,
    run_title,
    waits_for_answer,
)
from runner.runs import USUAL, StoreName
from runner.runs.events import FIRST_PREV
from runner.runs.evidence import VerdictSource
from runner.runs.result import NOT_UNDONE_YET, RunResult, StepResult
from runner.secrets.shown import STARS, hide


class NextStep(Struct, frozen=True, kw_only=True):
    """A command as it is to be typed, and what it does."""

    command: str
    does: str


def next_steps(result: RunResult, *, held: bool = False) -> tuple[NextStep, ...]:
    """The commands that settle the run, the likeliest first; none where nothing is open.

    While its steps are not over, a resume waits where a call is in doubt: after them nothing can be begun again, and
    nobody can give a lost result. `held`: the run waits so after them, too.
    """
    if is_of_fleet(result) and result.applied is not None:  # `pull` may have copied it
        result = replace(result, store=StoreName(result.applied.ledger, is_fleet=True))
    read, steps = secrets_from_variables(result), [*_next_steps(result, held=held)]
    if steps and result.hidden is not None and not belongs_to_fleet(result):
        steps = [*([] if result.hidden.is_certain else steps), _anew(result)]
    return tuple(replace(step, does=f"{step.does}{read}") for step in steps)


def _next_steps(result: RunResult, *, held: bool) -> Iterator[NextStep]:
    in_doubt = doubtful(result.steps)
    resume = complete_command("resume", result)
    needs_result = any(step.needs_result for step in in_doubt)
    waits = held or result.held or not result.closing
    again = " --hold" if waits and not result.finished and not belongs_to_fleet(result) else ""
    if not in_doubt:
        if not result.finished and result.job:
            does = "goes on where it broke off; calls that were answered are not sent again"
            if waits_for_answer(result):
                does = "asks the question again, and goes on; calls that were answered are not sent again"
            elif result.closing:
                does = "finishes `undo` and `finally`; its steps are over and are not carried out again"
            if result.owes_undo:
                does = "undoes what passed, and carries out nothing else"
            yield NextStep(command=resume, does=does)
        return
    if not all(is_lost(step) or is_by_hand(step) for step in in_doubt):
        if not result.finished:
            does = "asks the process log, and goes on if the log settles it; a call in doubt is not sent again"
            if again:
                does += "; else the run waits for you: without `--hold` it would end there"
            if needs_result and not result.closing:
                does = "asks the process log; the run waits where the job needs a result, which the log does not have"
            yield NextStep(command=resume + again, does=does)
        does = "asks the process log again, and sends nothing else"
        yield NextStep(command=complete_command("reconcile", result), does=does)
    yield from _verdicts(result, in_doubt, resume, again)


def _anew(result: RunResult) -> NextStep:
    """Whoever knows what the run left undone begins another: this run is never resumed."""
    stored = {key: value for key, value in result.inputs.items() if value != STARS}
    words = input_words({key: canonical_text(value) for key, value in stored.items()})
    given = "".join(f" {shell_word(clean(word))}" for word in words)
    command = f"{file_command(result, options=given)}{given_anew(result)}{confirmed(result)}"
    does = "begins another run of the job, which starts all of its steps again: look first at the site, and do by hand"
    return NextStep(command=command, does=f"{does} what this run left undone; {beyond_resume(result)}")


def beyond_resume(result: RunResult) -> str:
    """Why the run cannot be resumed; empty where it can, or has nothing left to do."""
    if result.hidden is None or (result.finished and not doubtful(result.steps)):
        return ""
    why = f"what `{clean(result.hidden.key)}` gave was secret, and is not stored"
    return f"this run cannot be resumed: {why}" if result.hidden.is_certain else f"`resume` may be refused: {why}"


def cannot_be_resumed(result: RunResult) -> bool:
    """Whether this is certain: also for a verdict it is not resumed."""
    return result.hidden is not None and result.hidden.is_certain and bool(beyond_resume(result))


def belongs_to_fleet(result: RunResult) -> bool:
    """Whether the run is of a fleet, also if `pull` has copied it."""
    return (result.store is not None and result.store.is_fleet) or is_of_fleet(result)


def unsettled(result: RunResult, *, is_running: bool) -> Problem | None:
    """Why something could still happen of a run, or may have happened, so that no other may do the same."""
    if is_running:
        hint = f"nothing was sent; `{verb_command('show', result.id, result.store)}` shows how far it is"
        return Problem(code="E181", message=f"run {clean(result.id)} of {run_title(result)} is under way", hint=hint)
    if result.finished and not doubtful(result.steps):
        return None
    why = doubt_sentence(result.steps) or "it has not come to its end"
    hint = "nothing was sent"
    if steps := next_steps(result):
        first = "" if beyond_resume(result) else "settle it first: "
        hint += f"; {first}`{steps[0].command}` {steps[0].does}"
    message = f"run {clean(result.id)} of {run_title(result)} is not settled: {why}"
    return Problem(code="E181", message=message, hint=hint)


GIVEN_AGAIN = "if its command began other runs, do what `runner runs` says of them; else give the command once more"
"""What to do about a run that broke off before it began: which command it was of nobody knows."""


def has_not_begun(result: RunResult) -> bool:
    """Whether the run broke off before its first event: it has sent nothing, and there is nothing to resume."""
    return not result.job and result.events.endswith(FIRST_PREV)


def unfinished(result: RunResult, *, held: bool = False) -> str:
    """What is known of a run that has not come to its end; empty where it has. `held` as above."""
    if result.finished:
        return ""
    if has_not_begun(result):
        return f"it broke off before it began: nothing was sent; {GIVEN_AGAIN}"
    if not result.job:
        return "its first event is lost"
    if result.hidden is not None and result.hidden.is_certain:
        return f"it broke off; {beyond_resume(result)}"
    if doubtful(result.steps):
        is_held = held or result.held
        return "it waits here until the call in doubt is settled" if is_held else "it broke off with a call in doubt"
    if result.owes_undo:
        return NOT_UNDONE_YET
    if waits_for_answer(result):
        return "it waits for the answer to a question; what comes after it is not done yet"
    if result.closing:
        return "it broke off after its steps, before `undo` and `finally` had ended"
    return "it broke off during its steps: `undo` and `finally` are not done"


def _verdicts(result: RunResult, in_doubt: Sequence[StepResult], resume: str, again: str) -> Iterator[NextStep]:
    """A person's verdict on the first row in doubt. After the steps are over nothing is begun again."""
    first, passed = in_doubt[0], "if you have checked that it passed"
    command = f"{resume} --step {shell_word(clean(first.key))}"
    more = "; then the same for each row in doubt" if len(in_doubt) > 1 else ""
    if result.finished and any(step.skipped_by in {row.key for row in in_doubt} for step in result.steps):
        more += "; the run ends `failed`, as steps were left out, and sends the `undo` of those that passed"
    if is_lost(first):
        known = "if you know its result, as JSON; without `--result` where only `outputs` of the job need it"
        yield NextStep(command=f"{command} --as passed --result 'JSON'{again}", does=f"{known}{more}")
        unknown = f"if you do not know it: the run ends without it, and does not undo `{clean(first.key)}`"
        yield NextStep(command=f"{command} --as failed{again}", does=f"{unknown}{more}")
        return
    if has_begun(first):
        does = f"{passed}; `--as failed` if it failed"
    elif result.closing:
        does = f"{passed}; `--as failed` if it failed or never began"
    else:
        does = f"{passed}; `--as failed` if it failed, `--as retry` if it never began"
    given = " --result 'JSON'" if first.needs_result else ""
    yield NextStep(command=f"{command} --as passed{given}{again}", does=f"{does}{more}")


def complete_command(verb: str, result: RunResult) -> str:
    """A command that goes on with the run, with its secrets but for variables, and confirmation of its target."""
    command = verb_command(verb, result.id, result.store)
    if result.store is not None and result.store.is_fleet:
        return command
    return f"{command}{sites_of(result)}{given_anew(result)}{'' if verb == 'reconcile' else confirmed(result)}"


def sites_of(*results: RunResult) -> str:
    """The option that names their targets file, where a command named it: another may have other sites."""
    files = dict.fromkeys(result.targets_file for result in results if result.targets_file is not None)
    return "".join(f" --targets {shell_word(clean(file))}" for file in files)


def inputs_of(*results: RunResult, with_values: bool = True) -> str:
    """The options that give a file's command the inputs that were given then, but for secret ones."""
    found: dict[str, str] = {}
    for result in results:
        found |= {name: text if found.get(name, text) == text else "@FILE" for name, text in result.given.items()}
    return "".join(f" {shell_word(clean(word))}" for word in input_words(found, with_values=with_values))


def secret_inputs(result: RunResult) -> tuple[str, ...]:
    """The names of the inputs whose values are not stored."""
    return tuple(name for name, value in result.inputs.items() if value == STARS)


def to_be_given(result: RunResult) -> tuple[str, ...]:
    """The names of those that neither a variable nor the case gives again."""
    return tuple(name for name in secret_inputs(result) if name not in {*result.variables, *result.case_secrets})


def given_anew(*results: RunResult) -> str:
    """The options that give a command about these runs their secrets, each once."""
    return given_from_files(name for result in results for name in to_be_given(result))


def given_from_files(names: Iterable[str]) -> str:
    return "".join(f" -i {shell_word(clean(name))}=@FILE" for name in dict.fromkeys(names))


def confirmed(*results: RunResult) -> str:
    """Options that confirm their targets, each once, where these had to be, and `--yes` where it answered questions."""
    asked = (result for result in results if result.begun_by is not None and result.begun_by.confirmed is not None)
    targets = dict.fromkeys(result.target.name for result in asked)
    answers = (step.judged.by.how for result in results for step in result.steps if step.judged is not None)
    yes = " --yes" if VerdictSource.YES in answers else ""
    return "".join(f" --confirm {shell_word(clean(name))}" for name in targets) + yes


def secrets_from_variables(*results: RunResult) -> str:
    """The end of a sentence about such a command: which variables it reads."""
    here = (result for result in results if result.store is None or not result.store.is_fleet)
    variables = {name: variable for result in here for name, variable in result.variables.items()}
    pairs = (f"`{clean(name)}` is read from {clean(variable)}" for name, variable in variables.items())
    return "".join(f"; secret input {pair}" for pair in pairs)


def verb_command(verb: str, run: str, store: StoreName | None) -> str:
    """A verb about a run. The store of runs is named where it is not the usual store."""
    return f"runner {verb} {shell_word(clean(run))}{in_store(store)}"


def reconcile_together(runs: Sequence[RunResult]) -> NextStep:
    """The command that asks about all `runs` in doubt of a command."""
    command = f"{verb_command('reconcile', runs[0].id, runs[0].store)} --together{sites_of(*runs)}"
    does = f"asks the process log about all {len(runs)} runs in doubt, and sends nothing else"
    return NextStep(command=command, does=does)


def in_store(store: StoreName | None) -> str:
    """The option that names a store of runs which is not the store that is used without it."""
    if store is None or (store.text == USUAL and not store.must_be_named):
        return ""
    return f" {'--db' if store.is_fleet else '--runs'} {shell_word(clean(store.text))}"


def file_command(result: RunResult, *, options: str = "") -> str:
    """What carries out the run's job, of its file as that is now, at the same target."""
    case = "" if result.case is None else f" -k {shell_word(clean(job_and_case(result.job, result.case)))}"
    at = shell_word(clean(result.target.name))
    return f"runner run {shell_word(clean(result.file))} -t {at}{case}{options}{sites_of(result)}"


def input_words(inputs: Mapping[str, str], *, with_values: bool = True) -> list[str]:
    """`-i` for each input; a value with a secret, or like a file's name, is given by a file."""
    shown = {name: _given_as(text) if with_values else "VALUE" for name, text in inputs.items()}
    return [word for name, text in shown.items() for word in ("-i", f"{name}={text}")]


def _given_as(text: str) -> str:
    return "@FILE" if text.startswith("@") or STARS in str(hide(text)) else text
