"""How long and how many the views are that an account may save. Pure."""

from __future__ import annotations

from shouwang.people.rules.errors import ViewNameWrong, ViewQueryLong

VIEW_NAME_LENGTH = 16
VIEW_QUERY_LENGTH = 200
VIEWS_MOST = 12


def view_name(name: str) -> str:
    """Return the name of a view with single spaces. Raises ViewNameWrong for none and for one that is too long."""
    tidy = " ".join(name.split())
    if not 0 < len(tidy) <= VIEW_NAME_LENGTH or not tidy.isprintable():
        raise ViewNameWrong(found=tidy[: VIEW_NAME_LENGTH * 2], length=len(tidy), most=VIEW_NAME_LENGTH)
    return tidy


def view_query(query: str) -> str:
    """Return what a view narrows its page to. Raises ViewQueryLong."""
    if len(query) > VIEW_QUERY_LENGTH:
        raise ViewQueryLong(length=len(query), most=VIEW_QUERY_LENGTH)
    return query
