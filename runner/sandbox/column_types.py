"""What doubles declare of the columns that they fill: a column has its type before there is any record.

A parameter alone has its own type, and a value without templates the type that it shows. What any other expression
gives is not known here: the records tell.
"""

from collections.abc import Iterable, Iterator, Mapping

from runner.catalogue.model import Kind, Parameter
from runner.expressions.parse import Expression, template
from runner.foundation.values import Json
from runner.sandbox.doubles import Double, Insert, Update
from runner.sandbox.entity_set import Edm, type_of

_TYPES = {
    Kind.TEXT: Edm.STRING,
    Kind.INTEGER: Edm.INTEGER,
    Kind.DECIMAL: Edm.DECIMAL,
    Kind.MONEY: Edm.DECIMAL,
    Kind.BOOLEAN: Edm.BOOLEAN,
    Kind.GUID: Edm.GUID,
    Kind.LOOKUP: Edm.GUID,
    Kind.DATETIME: Edm.MOMENT,
    Kind.DATE: Edm.STRING,
    Kind.TIME: Edm.STRING,
    Kind.RECORDS: Edm.STRING,
    Kind.UNKNOWN: Edm.STRING,
}
"""As `type_of` sees the values that a parameter of each kind holds."""


def declared(doubles: Iterable[Double]) -> dict[tuple[str, str], set[Edm]]:
    """By entity and column, the types of what is put there."""
    found: dict[tuple[str, str], set[Edm]] = {}
    for double in doubles:
        for activity in double.activities:
            match activity.deed:
                case Insert(entity=entity, values=values) | Update(entity=entity, values=values):
                    for column, value in values.items():
                        found.setdefault((entity, column), set()).update(_of_value(value, double.parameters))
                case _:
                    pass
    return found


def _of_value(value: Json, parameters: Mapping[str, Parameter]) -> Iterator[Edm]:
    if value is None:
        return
    found = template(value) if isinstance(value, str) else None
    if found is None or found.is_plain:
        yield type_of([value])
        return
    match found.parts:
        case (Expression(path=("parameters", str(code))),) if code in parameters:
            yield _TYPES[parameters[code].kind]
        case _:
            pass
