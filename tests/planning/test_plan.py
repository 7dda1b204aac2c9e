"""The keys of steps that undo others, and of those within a job that a step includes."""

from runner.job.actions import IncludedJob, Pause
from runner.job.model import Job, Step, StepEffect, Undo
from runner.planning.plan import PlannedStep, steps_within, undo_of, undo_steps
from runner.runs.events import Section


def step(key: str | None = None, *, undo: Undo | None = None, job: Job | None = None) -> Step:
    action = IncludedJob(job=job) if job else Pause(seconds=1)
    return Step(id=key, condition="always()", effect=StepEffect.READ, action=action, undo=undo, line=1)


def keys(planned: tuple[PlannedStep, ...]) -> list[tuple[str, Section]]:
    return [(one.key, one.section) for one in planned]


def test_an_undo_of_one_action_has_the_key_of_the_row_that_it_undoes() -> None:
    alone = Undo(steps=(step(),), alone=True)

    assert keys(undo_steps(alone, key="outer/many[2]")) == [("undo/outer/many[2]", Section.UNDO)]


def test_steps_of_an_undo_list_are_called_by_their_ids_or_by_their_numbers_in_it() -> None:
    listed = Undo(steps=(step(), step("look"), step()), alone=False)

    assert [one.key for one in undo_steps(listed, key="a")] == ["undo/a/1", "undo/a/look", "undo/a/3"]
    assert [one.step for one in undo_steps(listed, key="a")] == list(listed.steps)


def test_nothing_is_undone_of_finally_or_of_an_undo() -> None:
    one = step("a", undo=Undo(steps=(step(),), alone=True))
    found = {section: undo_of(PlannedStep(key="a", section=section, step=one)) for section in Section}

    assert {section: len(steps) for section, steps in found.items()} == {
        Section.STEPS: 1,
        Section.UNDO: 0,
        Section.FINALLY: 0,
    }
    assert undo_of(PlannedStep(key="b", section=Section.STEPS, step=step("b"))) == ()


def test_the_steps_of_an_included_job_are_below_the_key_of_the_step_that_includes_it() -> None:
    inner = Job(name="inner", file="inner.job.yaml", steps=(step("a"), step()), final_steps=(step(),))

    def within(section: Section) -> list[tuple[str, Section]]:
        return keys(steps_within(PlannedStep(key="outer", section=section, step=step(job=inner)), inner))

    assert within(Section.STEPS) == [
        ("outer/a", Section.STEPS),
        ("outer/2", Section.STEPS),
        ("outer/3", Section.FINALLY),
    ]
    assert {section for _, section in within(Section.UNDO)} == {Section.UNDO}
    assert {section for _, section in within(Section.FINALLY)} == {Section.FINALLY}
