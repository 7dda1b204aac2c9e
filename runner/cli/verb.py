"""A verb of the command line, as click carries it out, with what click lets pass."""

from collections import Counter

import click

OPTIONS_OF_OTHERS = {
    **dict.fromkeys(("--dry-run", "--dryrun", "--check", "--diff"), "`runner plan` prints what would be sent"),
    **dict.fromkeys(
        ("--var", "--vars", "--variable", "--extra-vars", "--env-var", "-e", "--set", "--param", "-D"),
        "`-i NAME=VALUE` gives an input",
    ),
    **dict.fromkeys(("--env", "--environment", "--host", "--url", "--site"), "`-t NAME` names a target"),
    **dict.fromkeys(("--filter", "--grep", "--name", "--only", "--test"), "`-k TEXT` selects runs by their name"),
    **dict.fromkeys(("--tag", "--include", "--label"), "`--tags EXPR` selects jobs by their tags"),
    **dict.fromkeys(("--skip-tags", "--exclude"), '`--tags "not slow"` leaves jobs out'),
    **dict.fromkeys(("--parallel", "--workers", "--threads", "--forks", "-n"), "`-j N` carries N runs out at once"),
    **dict.fromkeys(("--bail", "--exitfirst", "--maxfail"), "`-x` ends at the first that does not pass"),
    **dict.fromkeys(("--junit", "--junitxml", "--junit-xml"), "`--report-junit FILE`"),
    **dict.fromkeys(("--json", "--report", "--output", "-o"), "`--report-json FILE`"),
    **dict.fromkeys(("--silent", "--quiet-output"), "`-q` tells less"),
    **dict.fromkeys(("--debug", "--trace", "-vv"), "`-v` tells every call"),
    **dict.fromkeys(("--force", "--auto-approve", "--assume-yes"), "`--yes` answers questions; `--confirm TARGET`"),
    **dict.fromkeys(("--insecure", "--no-verify", "--ignore-ssl"), "TLS is always verified; `ca_file` of the target"),
}
"""What other tools call it, and what is meant here."""


class Verb(click.Command):
    """A command whose options can be given once, but for those that take several values."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Like click, which lets the last of several win: the first would be dropped without a word."""
        _, _, given = self.make_parser(ctx).parse_args(args=list(args))
        for parameter, times in Counter(map(id, given)).items():
            option = next(one for one in given if id(one) == parameter)
            if times > 1 and isinstance(option, click.Option) and not (option.multiple or option.is_flag):
                name = max(option.opts, key=len)
                raise click.UsageError(f"`{name}` is given {times} times, and takes one value", ctx)
        return super().parse_args(ctx, args)
