from runner.runs.store import Others, RowQuery, SentStarts


class NoOtherRuns:
    """`OwnedRows` of a run that is alone."""

    def begin(self, key: str, process: str, *, seconds: float, is_read: bool = True) -> None: ...

    def leave(self, key: str) -> None: ...

    def time_out(self, key: str) -> None: ...

    def answer(self, key: str) -> None: ...

    def queue(self, key: str) -> None: ...

    def never_began(self, key: str, *, is_certain: bool = True) -> None: ...

    def sent(self) -> SentStarts:
        return SentStarts()

    def flush(self) -> None: ...

    def ask(self, query: RowQuery) -> Others:
        del query
        return Others()
