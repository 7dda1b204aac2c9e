"""The columns of a `query`: a text with commas, or a list of such texts."""

from runner.foundation.raw import items
from runner.foundation.values import Json


def columns(written: Json) -> tuple[str, ...]:
    """Each column of `select` or `orderby`, without the blanks around it; empty where a comma separates nothing."""
    texts = [written] if isinstance(written, str) else [item for item in items(written) if isinstance(item, str)]
    return tuple(part.strip() for text in texts for part in text.split(","))
