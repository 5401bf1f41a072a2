"""Sealing everything again with the current key, after the keys were rotated: every sealed column of every table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from django.apps import apps
from django.db import models, transaction
from django.db.models.functions import Cast

from shouwang.journal.sealed import SealedField, keys
from shouwang.kernel.sealing import SealBroken, unseal, version_of

PORTION = 500
Report = Callable[[int], None]


def reseal(report: Report = lambda _: None) -> int:
    """Seal again what an older key sealed, and return how many values that were; each only if nobody changed it meanwhile.

    `report` is told how many more are done. May be stopped and begun again.
    """
    current = keys(anew=True).current
    done = 0
    for model, field in _sealed_columns():
        last: Any = 0
        while portion := _older(model, field, current=current, after=last):
            with transaction.atomic():
                for pk, raw, clear in portion:
                    rows = _raw(model, field).filter(pk=pk, raw=raw)
                    done += rows.update(**{field.name: clear})
            last = portion[-1][0]
            report(len(portion))
    return done


def versions_in_use() -> dict[int, int]:
    """Return how many values each version of the keys has sealed; reads every sealed column."""
    found: Counter[int] = Counter()
    for model, field in _sealed_columns():
        for raw in _raw(model, field).exclude(raw="").values_list("raw", flat=True).iterator(chunk_size=5_000):
            found[version_of(raw)] += 1
    return dict(found)


def closed_columns() -> list[str]:
    """Return what the sealed columns are about whose latest value the installation's keys cannot open. Raises KeysInvalid."""
    current, found = keys(), []
    for model, field in _sealed_columns():
        raw = _raw(model, field).exclude(raw="").order_by("-pk").values_list("raw", flat=True).first()
        try:
            if raw is not None:
                unseal(raw, current, about=field.about)
        except SealBroken:
            found.append(field.about)
    return sorted(found)


def _sealed_columns() -> Iterator[tuple[type[models.Model], SealedField]]:
    for model in apps.get_models():
        for field in model._meta.local_fields:  # noqa: SLF001 - Django's own name for it
            if isinstance(field, SealedField):
                yield model, field


def _raw(model: type[models.Model], field: SealedField) -> models.QuerySet[Any]:
    """Return the rows with `raw`, the column as it lies in the table."""
    return model._base_manager.annotate(raw=Cast(field.name, models.TextField()))  # noqa: SLF001 - below every scope


def _older(model: type[models.Model], field: SealedField, *, current: int, after: Any) -> list[tuple[Any, str, str]]:
    rows = _raw(model, field).filter(pk__gt=after).exclude(raw="").exclude(raw__startswith=f"{current}.")
    return list(rows.order_by("pk").values_list("pk", "raw", field.name)[:PORTION])
