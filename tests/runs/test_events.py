from runner.runs.events import AttemptFailed, decode, encode, stopped


def test_an_earlier_journal_names_the_signal_in_its_sentence_only() -> None:
    error = b'{"code":"E312","message":"stopped: SIGHUP"}'
    event = decode(b'{"type":"attempt.failed","key":"","t":1.0,"kind":"given_up","error":' + error + b"}")
    assert isinstance(event, AttemptFailed)
    assert event.signal == "SIGHUP"


def test_the_signal_that_stopped_a_run_has_a_field_of_its_own() -> None:
    event = stopped("SIGTERM", key="", t=1.0, final=True)
    assert decode(encode(event)) == event
    assert event.signal == event.stopped_by == "SIGTERM"
