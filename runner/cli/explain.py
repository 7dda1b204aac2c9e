"""`runner explain`: says what an error code means, with a wrong and a right example; alone it lists the codes."""

import json

import click

from runner.cli import options, output
from runner.cli.verb import Verb
from runner.explanations.groups import grouped
from runner.explanations.read import as_json, as_text, explanation
from runner.foundation.problems import CODES, ExitCode, Problem, UsageError
from runner.foundation.suggestions import suggest
from runner.foundation.values import Json, JsonObject
from runner.reports.safe import safe

FORMAT = 1
_MOST_CODES = 8


@click.command("explain", cls=Verb, short_help="Explain an error code, with examples.")
@click.argument("codes", nargs=-1, metavar="[CODE]…")
@options.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How to print it.",
)
@click.pass_context
def command(context: click.Context, /, **_: object) -> int:
    r"""Say what CODE means: why it is a mistake, or what happened; how it looks wrong and right; what to check.

    \b
    Without CODE, all codes are listed by what they speak of.

    \b
    Examples:
      runner explain E104
      runner explain 305
      runner explain | less
    """
    given = context.params
    codes = [_known(written) for written in given["codes"]]
    if given["form"] == "json":
        whole = json.dumps(_json(codes or sorted(CODES)), indent=2, ensure_ascii=False)
        output.data(f"{whole}\n", for_programs=True)
    else:
        text = "\n\n".join(as_text(explanation(code)).rstrip() for code in codes) if codes else _list()
        output.data(f"{text}\n")
    return ExitCode.PASSED


def _json(codes: list[str]) -> JsonObject:
    explained: list[Json] = [as_json(explanation(code)) for code in codes]
    return {"format": FORMAT, "codes": explained}


def _list() -> str:
    parts = ("\n".join([f"{words}:", *(f"  {code}  {CODES[code]}" for code in codes)]) for words, codes in grouped())
    return "\n\n".join(parts)


def _known(written: str) -> str:
    """The code that was meant: `e104` and `104` are E104. Raises `UsageError` where there is none."""
    code = written.strip().upper().removeprefix("ERROR").strip("[]: ")
    code = f"E{code}" if code.isdigit() else code
    if code in CODES:
        return code
    raise UsageError(Problem(code="E150", message=f"there is no code `{safe(written)}`", hint=_hint(written, code)))


def _hint(written: str, code: str) -> str:
    """Codes that are near: those whose title holds the word that was given, or that begin alike."""
    word = written.strip().casefold()
    near = [known for known, title in CODES.items() if len(word) > 2 and word in title.casefold()]  # noqa: PLR2004  a word
    near = near or [known for known in CODES if len(code) > 2 and known.startswith(code[:3])]  # noqa: PLR2004  E and ten
    found = suggest(code, CODES)
    near = near or ([found] if found else [])
    if not near:
        return "`runner explain` lists all codes"
    listed = ", ".join(f"{known} ({CODES[known]})" for known in near[:_MOST_CODES])
    return f"near are {listed}; `runner explain` lists all codes"
