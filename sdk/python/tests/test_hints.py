"""Type hints to JSON Schema, JSON to arguments, results to JSON."""
import dataclasses
import datetime
import decimal
import enum
import json
import math
import uuid
from typing import Any, Dict, List, Literal, Optional, Set, Tuple, TypedDict, Union

import pytest
from typing import Annotated

from flowpilot import Context, Field, Retry, task
from flowpilot.convert import InputError, ResultError, from_json, to_json
from flowpilot.schema import SchemaError, to_schema


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclasses.dataclass
class Line:
    sku: str
    count: int = 1
    price: Optional[decimal.Decimal] = None


@dataclasses.dataclass
class Order:
    id: uuid.UUID
    lines: List[Line]
    at: datetime.datetime
    tags: Set[str] = dataclasses.field(default_factory=set)


class Person(TypedDict, total=False):
    name: str
    age: int


# hint, JSON that fits, what the function gets, JSON that does not fit, where the message points
CASES = [
    (str, "a", "a", 1, "x must be text"),
    (int, 3.0, 3, 3.5, "x must be a whole number"),
    (int, 3, 3, True, "x must be a whole number"),
    (float, 3, 3.0, "3", "x must be a number"),
    (bool, True, True, 1, "x must be true or false"),
    (Optional[int], None, None, "a", "x must be a whole number"),
    (Union[int, str], "a", "a", [], "; or x must be text"),
    (List[int], [1, 2], [1, 2], [1, "b"], "x[1] must be a whole number"),
    (Tuple[int, str], [1, "a"], (1, "a"), [1], "x must have 2 items"),
    (Tuple[int, ...], [1, 2], (1, 2), ["a"], "x[0]"),
    (Set[str], ["a"], {"a"}, "a", "x must be a list"),
    (Dict[str, int], {"a": 1}, {"a": 1}, {"a": "b"}, "x.a must be a whole number"),
    (Literal["a", "b"], "b", "b", "c", "x must be one of 'a', 'b'"),
    (Colour, "red", Colour.RED, "green", "x is no Colour"),
    (datetime.date, "2026-05-01", datetime.date(2026, 5, 1), "May", "x is no date"),
    (datetime.datetime, "2026-05-01T10:00:00Z", datetime.datetime(2026, 5, 1, 10, tzinfo=datetime.timezone.utc), 7, "x must be text"),
    (uuid.UUID, "00000000-0000-0000-0000-000000000007", uuid.UUID(int=7), "7", "x is no UUID"),
    (decimal.Decimal, "1.50", decimal.Decimal("1.50"), "one", "x is no Decimal"),
    (Person, {"name": "Ada"}, {"name": "Ada"}, {"age": "old"}, "x.age must be a whole number"),
    (Line, {"sku": "a"}, Line("a"), {"sku": "a", "kount": 2}, "x has no field 'kount'"),
    (Any, {"a": [1]}, {"a": [1]}, None, None),
]


@pytest.mark.parametrize("hint, fitting, expected, wrong, place", CASES, ids=[str(case[0]) for case in CASES])
def test_a_hint_takes_what_its_schema_says(hint, fitting, expected, wrong, place):
    assert from_json(fitting, hint, "x") == expected
    json.dumps(to_schema(hint, "x"))
    if place is not None:
        with pytest.raises(InputError) as caught:
            from_json(wrong, hint, "x")
        assert place in str(caught.value)


def test_what_comes_out_goes_in_again():
    order = Order(uuid.UUID(int=5), [Line("a", 2, decimal.Decimal("1.5")), Line("b")], datetime.datetime(2026, 1, 2, 3, 4, 5), {"x"})
    assert from_json(json.loads(json.dumps(to_json(order))), Order, "order") == order


def test_the_schema_of_a_dataclass_has_its_defaults_and_what_is_required():
    schema = to_schema(Order, "order")
    assert schema["required"] == ["id", "lines", "at"]
    assert schema["additionalProperties"] is False
    line = schema["properties"]["lines"]["items"]
    assert line["properties"]["count"] == {"type": "integer", "default": 1}
    assert line["required"] == ["sku"]


@pytest.mark.parametrize("hint, place", [(bytes, "base64"), (Dict[int, str], "text keys"), (object(), "no JSON form")])
def test_a_hint_without_a_json_form_is_refused_with_what_to_use(hint, place):
    with pytest.raises(SchemaError) as caught:
        to_schema(hint, "order.key")
    assert place in str(caught.value) and "order.key" in str(caught.value)


@pytest.mark.parametrize("value, place", [({"a": [1, object()]}, "result.a[1]"), ([math.nan], "result[0]"), ({1.5: 2}, "the key 1.5"), ("\ud800", "lone surrogate"), ({"k": {"\udfff": 1}}, "result.k")])
def test_a_result_that_is_no_json_names_its_place(value, place):
    with pytest.raises(ResultError) as caught:
        to_json(value)
    assert place in str(caught.value)


def test_a_result_that_holds_itself_is_refused():
    circle: list = []
    circle.append(circle)
    with pytest.raises(ResultError):
        to_json(circle)


def test_a_function_says_all_about_itself():
    @task(name="orders.charge", retries=Retry(max_attempts=4), timeout=7, concurrency_key="customer", concurrency_limit=2)
    def charge(ctx: Context, customer: str, amount: Annotated[float, Field("In euros", minimum=0)], note: "Optional[str]" = None, *, colour: Colour = Colour.RED) -> Line:
        """Charge a card.

        Args:
            customer: Who
                pays.
            colour: Of the receipt.
        """
        return Line(customer)

    spec = charge.flowpilot_task.spec
    properties = spec["config_schema"]["properties"]
    assert (spec["type"], spec["title"], spec["category"]) == ("orders.charge", "Charge a card", "orders")
    assert properties["customer"] == {"type": "string", "description": "Who pays."}
    assert properties["amount"] == {"type": "number", "description": "In euros", "minimum": 0}
    assert properties["note"] == {"type": ["string", "null"], "default": None}
    assert properties["colour"] == {"type": "string", "enum": ["red", "blue"], "description": "Of the receipt.", "default": "red"}
    assert spec["config_schema"]["required"] == ["customer", "amount"]
    assert spec["step_defaults"]["timeout_seconds"] == 7 and spec["step_defaults"]["retry_config"]["max_attempts"] == 4
    assert spec["concurrency"] == {"key": "customer", "limit": 2}
    assert spec["output_schema"]["required"] == ["sku"]
    assert charge(None, "a", 1.0) == Line("a"), "it stays a function"


def test_names_are_checked_and_taken_once():
    with pytest.raises(ValueError, match="no name of a task"):
        task(name="Charge")(lambda: None)

    def one():
        pass

    def two():
        pass

    task(name="a.b")(one)
    task(name="a.b")(one)  # a module that is imported again
    with pytest.raises(ValueError, match="two functions"):
        task(name="a.b")(two)
