"""Reads built with the ORM once and then put as they stand: on the hot paths the building costs more than the answer.

A read is written as a function that makes a queryset; what changes from one time to the next are its arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any

from django.db import DEFAULT_DB_ALIAS, models

from shouwang.journal.sql import ID_MOST, Row, here, is_postgres, run
from shouwang.kernel.moments import to_us

FIRST_MARK = 31_000
DAY = -1
_Ask = Callable[..., "models.QuerySet[Any, Any]"]
_Shape = tuple[int | None, ...]
_Converter = Callable[[Any], Any]


class Prepared:
    """One read, built once for each number of values asked for.

    Its arguments are whole numbers, texts, moments or days, or lists of them (not of days) for `__in`; what may be None or a
    truth value changes the statement and belongs into the function.
    """

    def __init__(self, ask: _Ask) -> None:
        self._ask = ask
        self._built: dict[_Shape, _Statement] = {}

    def objects(self, *values: Any) -> list[Any]:
        """Return the objects of a queryset of whole objects."""
        return self._answer(values, _Statement.objects)

    def rows(self, *values: Any) -> list[Row]:
        """Return the rows of a `values_list`, as that would have them."""
        return self._answer(values, _Statement.rows)

    def one(self, *values: Any) -> Any:
        """Return the first object of a queryset of whole objects, None when there is none."""
        found = self.objects(*values)
        return found[0] if found else None

    def first(self, *values: Any) -> Row | None:
        """Return the first row, None when there is none."""
        found = self.rows(*values)
        return found[0] if found else None

    def _answer(self, values: Sequence[Any], read: Callable[[_Statement, list[list[Any]]], list[Any]]) -> list[Any]:
        """Return what is found; the ORM itself asks for lists that are empty or long, and for numbers too large for SQLite's driver."""
        if all(type(value) is int for value in values):
            return self._read(read, (None,) * len(values), [[value] for value in values], values)
        lists = [[_stored(each) for each in value] if _is_list(value) else _stored(value) for value in values]
        if any(_is_list(value) and not 0 < len(value) <= ID_MOST for value in lists):
            return list(self._ask(*lists))
        shape = tuple(_shape(given, value) for given, value in zip(values, lists, strict=True))
        given = [[value] if places in (None, DAY) or is_postgres() else _padded(value, places) for value, places in zip(lists, shape, strict=True)]
        return self._read(read, shape, given, lists)

    def _read(
        self, read: Callable[[_Statement, list[list[Any]]], list[Any]], shape: _Shape, given: list[list[Any]], asked: Sequence[Any],
    ) -> list[Any]:
        built = self._built.get(shape)
        if built is None:
            built = self._built[shape] = _Statement(self._ask, shape)
        try:
            return read(built, given)
        except OverflowError:
            return list(self._ask(*asked))


class _Statement:
    """A read as it stands, and where in it each value goes."""

    def __init__(self, ask: _Ask, shape: _Shape) -> None:
        wrapper = here()
        marks, asked = FIRST_MARK, []
        for places in shape:
            asked.append(date.fromordinal(marks) if places == DAY else list(range(marks, marks + places)) if places else marks)
            marks += 1 if places in (None, DAY) else places
        queryset = ask(*asked)
        compiler = queryset.query.get_compiler(connection=wrapper)
        self._text, params = compiler.as_sql()
        self._params = [int(param) if isinstance(param, int) else param for param in params]
        found = [_mark(param, marks) for param in self._params]
        if sorted(mark for mark in found if mark is not None) != list(range(marks - FIRST_MARK)):
            message = f"each value must stand once in the statement, as it is: {self._text}"
            raise ValueError(message)
        self._places = [(at, mark) for at, mark in enumerate(found) if mark is not None]
        if is_postgres():
            self._text = _with_arrays(self._text, [at for at, mark in self._places if shape[mark] not in (None, DAY)])
        self._converters = [
            (column, _converter(functions, expression, wrapper))
            for column, (functions, expression) in compiler.get_converters([each[0] for each in compiler.select]).items()
        ]

        self._model = queryset.model
        self._names = [field.attname for field in self._model._meta.concrete_fields]  # noqa: SLF001 - Django's own name for it

    def objects(self, lists: Sequence[Sequence[Any]]) -> list[Any]:
        return [self._model.from_db(DEFAULT_DB_ALIAS, self._names, row) for row in self.rows(lists)]

    def rows(self, lists: Sequence[Sequence[Any]]) -> list[Row]:
        values = [value for some in lists for value in some]
        params = list(self._params)
        for at, mark in self._places:
            params[at] = values[mark]
        found: list[Row] = run(self._text, params).fetchall()
        return [self._converted(row) for row in found] if self._converters else found

    def _converted(self, row: Row) -> Row:
        columns = list(row)
        for column, convert in self._converters:
            columns[column] = convert(columns[column])
        return tuple(columns)


def _stored(value: Any) -> Any:
    return to_us(value) if isinstance(value, datetime) else value.isoformat() if isinstance(value, date) else value


def _is_list(value: Any) -> bool:
    return not isinstance(value, int | str | date)


def _shape(given: Any, value: Any) -> int | None:
    """Return how many places a list takes, DAY for a day, None for another single value."""
    if _is_list(value):
        return 1 if is_postgres() else _places(len(value))
    return DAY if isinstance(given, date) and not isinstance(given, datetime) else None


def _places(count: int) -> int:
    """Return how many places a list of `count` takes: few different numbers, so that few statements are built."""
    return 1 << max(count - 1, 0).bit_length()


def _with_arrays(text: str, places: Sequence[int]) -> str:
    """Return the statement with one array where a list of one value stood: PostgreSQL plans it as well for any length."""
    pieces = text.split("%s")
    for at in places:
        pieces[at] = pieces[at].removesuffix("IN (") + "= ANY("
    return "%s".join(pieces)


def _padded(values: list[Any], places: int) -> list[Any]:
    return values + values[-1:] * (places - len(values))


def _mark(param: Any, end: int) -> int | None:
    """Return which value a parameter stands for; a text column has made the mark a text, SQLite a day too."""
    number = param.toordinal() if isinstance(param, date) else param
    if isinstance(param, str):
        number = int(param) if param.isdecimal() else _ordinal(param)
    return number - FIRST_MARK if isinstance(number, int) and FIRST_MARK <= number < end else None


def _ordinal(text: str) -> int | None:
    try:
        return date.fromisoformat(text).toordinal()
    except ValueError:
        return None


def _converter(functions: Sequence[Callable[..., Any]], expression: Any, wrapper: Any) -> _Converter:
    if len(functions) == 1:
        (function,) = functions
        return lambda value: function(value, expression, wrapper)

    def convert(value: Any) -> Any:
        for function in functions:
            value = function(value, expression, wrapper)
        return value

    return convert
