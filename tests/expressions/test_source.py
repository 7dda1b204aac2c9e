import pytest

from runner.expressions.parse import expression
from runner.expressions.source import dotted, source_text


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("( a . b [ 'c' ] [ 'd e' ] [ -1 ] )", 'a.b.c["d e"][-1]'),
        ("a['__class__']+1", 'a["__class__"] + 1'),
        ("(a|first).b", "(a | first).b"),
        ("a[b].c[1:][:2][::-1]", "a[b].c[1:][:2][::-1]"),
        ("(1,2) + [ ] ~ {'a':none}", '[1, 2] + [] ~ {"a": none}'),
        ("a|map(attribute='b')|join(',')", 'a | map(attribute="b") | join(",")'),
        ("a is defined and not b is not none", "a is defined and not b is not none"),
        ("a is odd", "a is odd"),
        ("a is eq 3", "a is eq(3)"),
        ("a==1 or b!=2 and c<3", "a == 1 or b != 2 and c < 3"),
        ("(a or b) and c", "(a or b) and c"),
        ("1 < a <= 3 and b not in c", "1 < a <= 3 and b not in c"),
        ("(a == b) == c", "(a == b) == c"),
        ("a - (b - c) * -d", "a - (b - c) * -d"),
        ("-(a | abs)", "-(a | abs)"),
        ("x if (a is defined) else (y if b else z)", "x if a is defined else y if b else z"),
        ("(a is defined) if b else c", "(a is defined) if b else c"),
        ("(a if b) ~ 1", "(a if b) ~ 1"),
        ("uuid( 'a' ) + 'b'", 'uuid("a") + "b"'),
    ],
)
def test_a_tree_is_written_out_as_people_write(text: str, source: str) -> None:
    tree = expression(text).tree
    assert tree is not None
    assert source_text(tree) == source


def test_a_path_is_written_as_in_an_expression() -> None:
    assert dotted(("steps", "read", 0, "a b", 'q"', "é")) == 'steps.read[0]["a b"]["q\\""].é'
