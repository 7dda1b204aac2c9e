"""Stories of `signal`: one record, never two, and what the process log says of the process that it starts."""

import math
from uuid import UUID

import pytest
from stories import World, moment, not_sent, planned, refused, unanswered

from runner.engine.effects import Send
from runner.foundation.values import Json, JsonObject
from runner.runs.events import StepFinished
from runner.runs.evidence import Unverified
from runner.service.calls import Answered, CallFailed, ChangeCall, Ending, QueryCall

GUID = "7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11"
OTHER = "11111111-2222-4333-8444-555555555555"
NAMED = "values: {Name: 'Smoke {{ target.name }}'}"
INSERT = f"  - id: a\n    signal: {{insert: {{entity: Lead, {NAMED}}}"
UPDATE = f"  - id: a\n    signal: {{update: {{entity: Lead, id: {GUID}, values: {{Score: 7}}}}"
DELETE = f"  - id: a\n    signal: {{delete: {{entity: Lead, id: {GUID}}}"
STARTS = ", starts: UsrQ}\n"
ALONE = "}\n"
NEVER_CHANGED = -math.inf
GUESS = "the record is as the update leaves it; whether this update made it so is not known"


def carried_out(world: World, steps: str) -> World:
    world.tables = world.tables or world.read_record
    return world.carry_out(planned(steps))


def end(world: World) -> StepFinished:
    return world.finished("a")


def changes(world: World) -> list[ChangeCall]:
    calls = [getattr(effect, "call", None) for effect in world.effects]
    return [call for call in calls if isinstance(call, ChangeCall)]


def existing(**more: Json) -> dict[str, JsonObject]:
    return {GUID: {"Id": GUID, **more}}


def test_an_insert_gives_the_record_with_an_id_that_the_run_and_the_row_decide() -> None:
    world = carried_out(World(), INSERT + ALONE + '    expect: [result.Name == "Smoke here"]\n')
    assert world.sent == ["insert"]
    (call,) = changes(world)
    assert UUID(call.id).version == 5
    assert end(world).status == "passed"
    assert end(world).result == {"Id": call.id, "Name": "Smoke here"}
    again = carried_out(World(), INSERT + ALONE)
    assert changes(again)[0].id == call.id


def test_each_turn_has_a_record_of_its_own() -> None:
    world = carried_out(World(), INSERT + ALONE + "    for_each: [1, 2]\n")
    assert len({call.id for call in changes(world)}) == len(world.records) == 2


def test_the_process_that_an_insert_starts_is_followed_to_its_end() -> None:
    world = carried_out(World(statuses=["running"], later=["running", "done"]), INSERT + STARTS)
    assert (end(world).status, end(world).verified) == ("passed", True)
    assert end(world).process_id == world.rows[0]["id"]
    assert world.sent[:2] == ["read watermark", "insert"]


def test_until_started_does_not_wait_for_the_end() -> None:
    world = carried_out(World(statuses=["running"]), INSERT + ", starts: UsrQ, until: started}\n")
    assert (end(world).status, world.pauses) == ("passed", [])


def test_a_process_that_fails_is_a_failed_step_and_the_record_is_kept_for_finally() -> None:
    final = "finally:\n  - id: z\n    signal: {delete: {entity: Lead, id: '{{ steps.a.result.Id }}'}}\n"
    world = carried_out(World(statuses=["error"]), INSERT + STARTS + final)
    error = end(world).error
    assert error
    assert (end(world).status, error.code, "Divide by zero" in error.message) == ("failed", "E203", True)
    assert (world.finished("z").status, world.records) == ("passed", {})


@pytest.mark.parametrize("status", ["done", "running"])
def test_a_process_of_another_user_is_inferred_and_said_to_be(status: str) -> None:
    starts = STARTS if status == "done" else ", starts: UsrQ, until: started}\n"
    world = carried_out(World(runs_as="system", statuses=[status]), INSERT + starts)
    assert (end(world).status, end(world).verified) == ("passed", "inferred")
    assert any("another user" in text for text in end(world).warnings)


@pytest.mark.parametrize("status", ["done", "running", "error"])
@pytest.mark.parametrize(("effect", "ended"), [("once", "unknown"), ("idempotent", "error")])
def test_a_process_of_another_user_proves_nothing_where_the_log_has_to_tell(
    effect: str, ended: str, status: str
) -> None:
    starts = STARTS if status != "running" else ", starts: UsrQ, until: started}\n"
    strict = f"    verify: log\n    effect: {effect}\n"
    world = carried_out(World(runs_as="system", statuses=[status]), INSERT + starts + strict)
    assert (end(world).status, end(world).verified) == (ended, None)
    assert "not verified: the process runs as another user" in str(end(world).error)


def test_a_process_of_another_user_that_failed_is_a_failed_step_by_inference() -> None:
    world = carried_out(World(runs_as="system", statuses=["error"]), INSERT + STARTS)
    assert (end(world).status, end(world).verified) == ("failed", "inferred")
    assert any("another user" in text for text in end(world).warnings)


@pytest.mark.parametrize(("verify", "status"), [("auto", "passed"), ("log", "error")])
def test_two_starts_that_look_the_same_are_not_verified(verify: str, status: str) -> None:
    world = carried_out(World(crowd=["done"]), INSERT + STARTS + f"    verify: {verify}\n")
    assert len(world.rows) == 2
    assert (end(world).status, end(world).verified) == (status, None)


def test_a_record_that_starts_nothing_is_an_error_after_the_time_to_settle() -> None:
    world = carried_out(World(deaf=True), INSERT + STARTS)
    error = end(world).error
    assert error
    assert (end(world).status, error.code) == ("error", "E319")
    assert end(world).result["Name"] == "Smoke here"
    assert world.t >= 15


def test_without_a_log_a_start_is_not_verified() -> None:
    world = carried_out(World(log=refused()), INSERT + STARTS)
    assert (end(world).status, any("not verified" in text for text in end(world).warnings)) == ("passed", True)
    strict = carried_out(World(log=refused()), INSERT + STARTS + "    verify: log\n")
    assert (end(strict).status, changes(strict)) == ("error", [])


def test_with_verify_none_no_log_is_read() -> None:
    world = carried_out(World(), INSERT + STARTS + "    verify: none\n")
    assert (world.sent, end(world).status) == (["insert"], "passed")


@pytest.mark.parametrize(
    ("seconds", "effect", "status"),
    [
        (1.0, "once", "passed"),
        (-60.0, "once", "failed"),
        (None, "once", "unknown"),
        (None, "idempotent", "failed"),
    ],
)
def test_an_update_that_a_proxy_refused_has_happened_only_where_its_record_was_changed_since(
    seconds: float | None, effect: str, status: str
) -> None:
    """Where the record has its values, and does not say since when, an update that must not be repeated is in doubt."""

    class HandedOn(World):
        def _change(self, call: ChangeCall) -> Ending:
            ending = super()._change(call)
            modified = None if seconds is None else moment(self.t + seconds)
            self.records[GUID] = {**self.records[GUID], "Score": 7, "ModifiedOn": modified}
            return ending

    world = HandedOn(answers=[None, refused(unproved=True)], records=existing(Score=7))
    before = "  - id: z\n    execute: {process: UsrZ}\n"
    assert end(carried_out(world, f"{before}{UPDATE}{ALONE}    effect: {effect}\n")).status == status


def test_an_insert_that_was_not_answered_and_happened_is_known_by_its_record() -> None:
    world = carried_out(World(answers=[unanswered()]), INSERT + STARTS)
    assert (end(world).status, end(world).result["Name"], len(world.records)) == ("passed", "Smoke here", 1)
    assert (end(world).verified, len(changes(world))) == (True, 1)


def test_an_insert_that_never_came_is_an_error_that_says_that_it_may_still_come() -> None:
    world = carried_out(World(answers=[unanswered()], lost=True), INSERT + ALONE)
    error = end(world).error
    assert error
    assert (end(world).status, len(changes(world)), world.t >= 15) == ("error", 1, True)
    assert "may still come" in error.message


def test_a_repetition_of_an_insert_bears_the_same_id_and_never_makes_a_second_record() -> None:
    step = INSERT + STARTS + "    retry: {max_attempts: 2, on: [unanswered]}\n"
    world = World(answers=[unanswered()], lost=True)
    late: list[JsonObject] = []

    def read(call: QueryCall) -> Ending:
        """The first attempt comes late: after the last look, before the second attempt."""
        if len(changes(world)) == 1 and world.t > 16 and not late:
            key = changes(world)[0].id
            late.append({"Id": key, "Name": "Smoke here"})
            world.records[key] = late[0]
            world.add_row("UsrQ")
            return Answered(value={"records": [], "next": None})
        return world.read_record(call)

    world.tables = read
    carried_out(world, step)
    assert len({call.id for call in changes(world)}) == 1
    assert (end(world).status, len(world.records), len(world.rows)) == ("passed", 1, 1)


def test_a_refused_insert_is_a_failure_unless_its_record_is_there() -> None:
    world = carried_out(World(answers=[refused(400)]), INSERT + STARTS)
    assert (end(world).status, world.records) == ("failed", {})


def test_an_insert_that_was_never_sent_is_tried_again() -> None:
    world = carried_out(World(answers=[not_sent()]), INSERT + ALONE)
    assert (end(world).status, len(changes(world)), len(world.records)) == ("passed", 2, 1)


def test_an_update_gives_the_record_as_it_is_then() -> None:
    world = carried_out(World(records=existing(Score=1, Name="A")), UPDATE + ALONE)
    assert end(world).result == {"Id": GUID, "Score": 7, "Name": "A"}


def test_the_record_of_a_secret_step_is_in_no_event() -> None:
    made = carried_out(World(records=existing(Score=1, Token="q7kXw9-Lm3zPt5")), UPDATE + ALONE + "    secret: true\n")
    readings = [effect for effect in made.effects if isinstance(effect, Send) and isinstance(effect.call, QueryCall)]
    assert [effect.secret for effect in readings] == [True]


BY_RECORD = "look at the record, and say how it ended with `runner resume --as`: `reconcile` reads no records"


def test_an_update_in_doubt_is_settled_by_the_record() -> None:
    world = carried_out(World(answers=[unanswered()], records=existing(Score=1)), UPDATE + ALONE)
    assert (end(world).status, len(changes(world))) == ("passed", 1)


def test_an_update_that_the_record_does_not_show_is_unknown_and_never_repeated() -> None:
    world = carried_out(World(answers=[unanswered()], lost=True, records=existing(Score=1)), UPDATE + ALONE)
    assert (end(world).status, len(changes(world)), world.end.exit_code) == ("unknown", 1, 4)
    error = end(world).error
    assert error is not None
    assert error.hint == BY_RECORD, "`reconcile` reads no records"


@pytest.mark.parametrize(
    ("seconds", "status", "warning"),
    [
        (-60.0, "unknown", None),
        (0.0, "passed", "the record itself shows that the update happened (no answer within 100 s)"),
        (3600.0, "passed", f"not verified: {GUESS} (no answer within 100 s)"),
        (NEVER_CHANGED, "passed", f"not verified: {GUESS} (no answer within 100 s)"),
        (None, "passed", f"not verified: {GUESS} (no answer within 100 s)"),
    ],
)
def test_a_record_that_had_the_values_before_does_not_show_an_update(
    seconds: float | None, status: str, warning: str | None
) -> None:
    never = "0001-01-01T00:00:00Z"
    changed: JsonObject = {"ModifiedOn": never if seconds == NEVER_CHANGED else moment(seconds or 0.0)}
    changed = {} if seconds is None else changed
    world = World(answers=[unanswered()], lost=True, records=existing(Score=7, **changed))
    assert end(carried_out(world, UPDATE + ALONE)).status == status
    assert end(world).warnings == (() if warning is None else (warning,))
    assert len(changes(world)) == 1


@pytest.mark.parametrize(("by", "is_ours"), [("us", True), ("US", True), ("them", False), (None, True)])
def test_that_somebody_else_has_changed_the_record_since_proves_no_update(by: str | None, *, is_ours: bool) -> None:
    records = existing(Score=7, ModifiedOn=moment(0.0), ModifiedById=by)
    world = carried_out(World(answers=[unanswered()], lost=True, records=records), UPDATE + ALONE)
    shown = "the record itself shows that the update happened" if is_ours else f"not verified: {GUESS}"
    assert (end(world).status, end(world).warnings) == ("passed", (f"{shown} (no answer within 100 s)",))


@pytest.mark.parametrize(("effect", "status", "code"), [("once", "unknown", 4), ("idempotent", "error", 3)])
def test_an_update_of_which_nobody_knows_whose_it_is_is_not_green_where_the_log_has_to_tell(
    effect: str, status: str, code: int
) -> None:
    world = World(answers=[unanswered()], lost=True, records=existing(Score=7))
    carried_out(world, UPDATE + ALONE + f"    verify: log\n    effect: {effect}\n")
    assert (end(world).status, world.end.exit_code, len(changes(world))) == (status, code, 1)
    assert GUESS in str(end(world).error)


def test_the_process_that_an_update_has_started_proves_it() -> None:
    world = carried_out(World(answers=[unanswered()], records=existing(Score=7)), UPDATE + STARTS + "    verify: log\n")
    assert (end(world).status, end(world).verified, end(world).warnings) == ("passed", True, ())


def test_an_insert_that_was_not_answered_and_made_another_record_is_not_verified() -> None:
    class SetsBack(World):
        def _change(self, call: ChangeCall) -> Ending:
            ending = super()._change(call)
            self.records[call.id] = {"Id": call.id, "Name": "other"}
            return ending

    for answer in (unanswered(), refused(500, unproved=True)):
        world = carried_out(SetsBack(answers=[answer], lost=False), INSERT + ALONE)
        shown = f"the record itself shows that the insert happened ({answer.trouble.message})"
        warning = "not verified: after the insert the record has another value of `Name` than was sent"
        assert (end(world).status, end(world).warnings) == ("passed", (shown, warning))
        assert carried_out(SetsBack(answers=[answer]), INSERT + ALONE + "    verify: log\n").end.exit_code == 3


@pytest.mark.parametrize("step", [INSERT, UPDATE])
def test_a_column_that_the_record_does_not_show_is_not_verified(step: str) -> None:
    class Hides(World):
        def _change(self, call: ChangeCall) -> Ending:
            ending = super()._change(call)
            self.records[call.id] = {"Id": call.id}
            return Answered(value={"Id": call.id}) if isinstance(ending, Answered) else ending

    world = carried_out(Hides(records=existing()), step + ALONE)
    (warning,) = end(world).warnings
    assert (end(world).status, warning.startswith("not verified: after the ")) == ("passed", True)
    assert "the record does not show `" in warning
    assert carried_out(Hides(records=existing()), step + ALONE + "    verify: log\n").end.exit_code == 3


@pytest.mark.parametrize("answer", [{"Id": OTHER, "Name": "Smoke here"}, {"Id": OTHER}])
def test_an_insert_to_which_the_service_gives_an_id_of_its_own_has_happened(answer: JsonObject) -> None:
    class OwnIds(World):
        def _change(self, call: ChangeCall) -> Ending:
            super()._change(call)
            self.records = {OTHER: {"Id": OTHER, "Name": "Smoke here"}}
            return Answered(value=answer)

    world = carried_out(OwnIds(), INSERT + ALONE + "    retry: {max_attempts: 3, on: [unanswered]}\n")
    (warning,) = end(world).warnings
    assert f"gave the record another Id ({OTHER})" in warning
    assert (end(world).status, end(world).result, len(changes(world))) == ("passed", world.records[OTHER], 1)


def test_a_short_answer_to_an_insert_is_no_record() -> None:
    class Short(World):
        def _change(self, call: ChangeCall) -> Ending:
            super()._change(call)
            return Answered(value={"Id": call.id})

    world = carried_out(Short(), INSERT + ALONE)
    assert (end(world).warnings, end(world).result["Name"]) == ((), "Smoke here")


def test_an_update_that_nothing_shows_and_that_starts_nothing_is_unknown() -> None:
    world = carried_out(World(answers=[unanswered()], lost=True, records=existing(Score=7)), UPDATE + STARTS)
    error = end(world).error
    assert error
    assert (end(world).status, len(changes(world)), world.rows) == ("unknown", 1, [])
    assert "the process log shows no start of `UsrQ` so far" in error.message


def test_a_refused_update_has_not_happened_though_the_record_has_its_values() -> None:
    world = carried_out(World(answers=[refused(403)], records=existing(Score=7)), UPDATE + ALONE)
    assert end(world).status == "failed"


def test_a_record_that_nobody_may_delete_is_not_deleted_because_it_cannot_be_seen() -> None:
    hidden = World(answers=[refused(403)], records=existing(), tables=lambda _: Answered(value={"records": []}))
    assert end(carried_out(hidden, DELETE + ALONE)).status == "failed"


def test_an_entity_that_cannot_be_read_leaves_an_update_unknown() -> None:
    broken: CallFailed = refused()
    world = World(answers=[unanswered()], records=existing(), tables=lambda _call: broken)
    assert end(carried_out(world, UPDATE + ALONE)).status == "unknown"


def test_a_delete_of_what_is_gone_passes_and_says_so() -> None:
    world = carried_out(World(), DELETE + ALONE)
    shown = "the record is not there, so it was deleted (there is one, or none)"
    assert (end(world).status, end(world).warnings) == ("passed", (shown,))
    there = carried_out(World(records=existing()), DELETE + ALONE)
    assert (end(there).status, end(there).warnings, there.records) == ("passed", (), {})


@pytest.mark.parametrize("until", [0.0, 1.0, 10.0])
def test_a_deleted_record_that_another_node_still_shows_is_looked_for_again(until: float) -> None:
    world = World(call_seconds=0.0, records=existing())
    before: list[Json] = [dict(record) for record in world.records.values()]
    still = Answered(value={"records": before, "next": None})
    world.tables = lambda call: world.read_record(call) if world.t >= until else still
    world = carried_out(world, DELETE + ALONE)
    assert (end(world).status, world.t < until + 8.0) == ("passed", True)


def test_a_delete_that_was_answered_and_has_deleted_nothing_is_a_failure() -> None:
    still: JsonObject = {"records": [{"Id": GUID}], "next": None}
    world = carried_out(World(records=existing(), tables=lambda _: Answered(value=still)), DELETE + ALONE)
    error = end(world).error
    assert error
    assert (end(world).status, error.code) == ("failed", "E205")


NO_RECORD: list[Ending] = [Answered(value={"records": [], "next": None}), refused()]


@pytest.mark.parametrize("answer", NO_RECORD)
def test_an_update_is_not_verified_where_the_record_does_not_show_it(answer: Ending) -> None:
    step = UPDATE + ALONE + "    expect: [result.Score == 7]\n"
    world = carried_out(World(records=existing(), tables=lambda _: answer), step)
    assert end(world).status == "passed"
    assert end(world).warnings[0].startswith("not verified: the ")
    strict = carried_out(World(records=existing(), tables=lambda _: answer), step + "    verify: log\n")
    assert strict.end.exit_code == 3


OTHERS: list[tuple[Json, Json]] = [
    ("'7'", 8),
    ("'2026-01-02'", "2026-01-03T00:00:00Z"),
    ("'2026-01-02'", "2025-01-02T00:00:00Z"),
    ("'2026-01-02T10:00:00Z'", "2026-01-01T10:00:00"),
    ("'true'", False),
    ("'18:45'", "0001-01-02T18:45:00Z"),
    (0, None),
]


@pytest.mark.parametrize(
    ("sent", "found"), [(7, 1), ("new", "old"), ("new", "NEW"), ("new", ""), ("false", "true"), ("null", 7), *OTHERS]
)
@pytest.mark.parametrize("change", ["update", "insert"])
def test_a_record_that_does_not_hold_what_was_sent_is_not_verified(change: str, sent: Json, found: Json) -> None:
    shown: JsonObject = {"Id": GUID, "Score": found}

    class Deaf(World):
        """It answers as if it had changed the record."""

        def _change(self, call: ChangeCall) -> Ending:
            return Answered(value={**shown, "Id": call.id} if change == "insert" else None)

    values = f"values: {{Score: {sent}}}"
    written = {"update": UPDATE.replace("values: {Score: 7}", values), "insert": INSERT.replace(NAMED, values)}[change]
    step = written + ALONE
    world = carried_out(Deaf(records={GUID: shown}), step)
    warning = f"not verified: after the {change} the record has another value of `Score` than was sent"
    assert (end(world).status, end(world).warnings) == ("passed", (warning,))
    assert end(world).unverified is Unverified.NOT_SHOWN
    assert carried_out(Deaf(records={GUID: shown}), step + "    verify: log\n").end.exit_code == 3


def test_a_change_that_its_record_does_not_show_is_not_verified_by_the_process_that_it_started() -> None:
    class Deaf(World):
        def _change(self, call: ChangeCall) -> Ending:
            ending = super()._change(call)
            self.records[GUID] |= {"Score": 1}
            return ending

    world = carried_out(Deaf(records={GUID: {"Id": GUID, "Score": 1}}), UPDATE + STARTS)
    assert (end(world).status, end(world).verified) == ("passed", None)


AS_SENT: list[tuple[Json, Json]] = [
    (7, 7.0),
    (7.129, 7.13),
    ("'7'", 7),
    ("'true'", True),
    ('"a\\nb"', "a\r\nb"),
    ("'2026-01-02'", "2026-01-01T22:00:00Z"),
    ("'2026-01-02'", "2026-01-02T00:00:00"),
    ("'a  '", "a"),
    ("2026-01-01T10:00:00+02:00", "2026-01-01T08:00:00Z"),
    ("2026-01-01", "2026-01-01T00:00:00Z"),
    (GUID.upper(), GUID),
    ("null", "00000000-0000-0000-0000-000000000000"),
    ("''", None),
    ("true", True),
    ("'18:45:00'", "0001-01-01T18:45:00Z"),
    ("'18:45'", "18:45:00.0000000"),
    ("null", "0001-01-01T00:00:00Z"),
    ("null", 0),
    ("null", False),
]


@pytest.mark.parametrize(("sent", "found"), AS_SENT)
def test_a_site_may_write_what_was_sent_in_its_own_way(sent: Json, found: Json) -> None:
    shown: Ending = Answered(value={"records": [{"Id": GUID, "Score": found}], "next": None})
    step = UPDATE.replace("Score: 7", f"Score: {sent}") + ALONE + "    verify: log\n"
    world = carried_out(World(records=existing(Score=1), tables=lambda _: shown), step)
    assert (end(world).status, end(world).warnings) == ("passed", ())


def test_undo_deletes_what_was_inserted() -> None:
    undo = "    undo: {signal: {delete: {entity: Lead, id: '{{ result.Id }}'}}}\n"
    failing = "  - id: b\n    signal: {update: {entity: Lead, id: '{{ target.name }}', values: {}}}\n"
    world = carried_out(World(), INSERT + ALONE + undo + failing)
    assert world.statuses_of_rows() == {"a": "passed", "b": "failed", "undo/a": "passed"}
    assert world.records == {}


def test_a_null_empties_a_column() -> None:
    world = carried_out(World(records=existing(Score=1)), UPDATE.replace("Score: 7", "Score: null") + ALONE)
    assert world.records[GUID]["Score"] is None


def test_an_older_record_with_the_id_that_a_job_names_is_no_proof_of_an_insert() -> None:
    step = f"  - id: a\n    signal: {{insert: {{entity: Lead, values: {{Id: {GUID}, Name: B}}}}}}\n"
    other = carried_out(World(records=existing(Name="A")), step)
    assert (end(other).status, other.records) == ("failed", existing(Name="A"))
    same = carried_out(World(records=existing(Name="B")), step)
    assert (end(same).status, end(same).warnings) == ("failed", ())


@pytest.mark.parametrize(
    ("statuses", "effect", "came"),
    [
        (["error", "error"], "once", "unknown"),
        (["done", "error"], "once", "unknown"),
        (["done", "done"], "once", "passed"),
        (["error", "error"], "idempotent", "failed"),
        (["done", "error"], "idempotent", "passed"),
    ],
)
def test_a_failure_among_several_starts_none_of_which_is_known_to_be_its_own_is_a_sign(
    statuses: list[str], effect: str, came: str
) -> None:
    world = carried_out(World(statuses=statuses[:1], crowd=statuses[1:]), f"{INSERT}{STARTS}    effect: {effect}\n")
    assert (end(world).status, end(world).verified) == (came, None)
    if came != "failed":
        assert "2 starts of `UsrQ` may be the start that the record made" in said(world)


@pytest.mark.parametrize(("status", "came"), [("done", "passed"), ("error", "unknown")])
def test_a_start_that_another_run_may_have_made_is_no_verdict_and_its_failure_a_sign(status: str, came: str) -> None:
    world = World(statuses=[status], others={"taken": [], "rival": True})
    carried_out(world, INSERT + STARTS + "    effect: once\n")
    assert (end(world).status, end(world).verified) == (came, None)
    assert "another run may have started `UsrQ` at the same time" in said(world)


def said(world: World) -> str:
    row = end(world)
    return row.error.message if row.error else " ".join(row.warnings)


@pytest.mark.parametrize(("seconds", "status"), [(8.0, "unknown"), (1.0, "failed")])
def test_what_a_gateway_answers_seconds_after_a_change_has_left_is_no_answer(seconds: float, status: str) -> None:
    world = World(answers=[refused(unproved=True)], records=existing(Score=1), needs={"update": seconds})
    carried_out(world, UPDATE + ALONE)
    assert (end(world).status, world.sent.count("update")) == (status, 1)


class Busy(World):
    """Another user's change starts the process at once; that of the record begins half a second later."""

    def _ending(self, send: Send) -> Ending:
        if isinstance(send.call, ChangeCall):
            self.add_row("UsrQ", owner="them")
            self.lags = [0.5]
        return super()._ending(send)


@pytest.mark.parametrize("status", ["done", "error"])
def test_the_row_of_another_user_is_not_taken_for_its_own_before_its_own_has_come(status: str) -> None:
    world = carried_out(Busy(statuses=[status], call_seconds=0.05), INSERT + STARTS)
    assert (end(world).verified, "2 starts of `UsrQ` may be" in said(world)) == (None, True)
    world = carried_out(Busy(statuses=[status], call_seconds=0.05), INSERT + STARTS + "    verify: log\n")
    assert end(world).status == "error"


def test_a_process_of_our_own_user_is_not_waited_for_longer() -> None:
    assert carried_out(World(call_seconds=0.05), INSERT + STARTS).t < 1.0
