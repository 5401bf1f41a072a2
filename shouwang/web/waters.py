"""What the pages of a case know of the water it is about: where it is, and the pictures in which nobody can be made out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shouwang.cases.queries import CaseRow
from shouwang.kernel.texts import Text
from shouwang.systems.drowning.links import picture_link
from shouwang.systems.drowning.queries import pictures_of, sightings_of_case
from shouwang.systems.drowning.queries.hazards import hazard_named
from shouwang.systems.drowning.queries.pages import waters_named
from shouwang.systems.drowning.queries.parties import joint_item_named
from shouwang.systems.drowning.rules import SYSTEM
from shouwang.systems.drowning.rules.hazards import CASE_KIND as HAZARD_KIND
from shouwang.systems.drowning.rules.parties import CASE_KIND as JOINT_KIND
from shouwang.systems.drowning.rules.waters import KINDS

FIRST = (Text("之前", "Before"), Text("进入时", "Entering"), Text("现在", "Now"))
PICTURE, LATEST = Text("画面", "Picture"), Text("最近", "Latest")
MOST = 6


@dataclass(frozen=True)
class AboutWater:
    """A water as a case shows it; `over_at` is since when nobody is seen there, None while somebody may be."""

    id: int
    name: str
    kind: Text
    note: str
    map_link: str
    pictures: Sequence[tuple[Text, str, datetime]]
    over_at: datetime | None
    times: int


def about_beyond(case: CaseRow) -> tuple[str, str]:
    """Return the name and the note that the phone shows of a hazard or an agreed item; empty for other cases."""
    if case.kind == HAZARD_KIND:
        return hazard_named(case.subject_id)
    return joint_item_named(case.subject_id) if case.kind == JOINT_KIND else ("", "")


def about_water(case: CaseRow) -> AboutWater | None:
    """Return what the pages of a case at a water show; None for other cases."""
    if case.kind != SYSTEM or case.subject_kind != "water":
        return None
    water = waters_named([case.subject_id]).get(case.subject_id)
    if water is None:
        return None
    seen = sightings_of_case(case.id)
    counts = pictures_of([each.event_id for each in seen])
    pictures: list[tuple[Text, str, datetime]] = []
    with_pictures = [each for each in seen if counts.get(each.event_id)]
    if with_pictures:
        first = with_pictures[0]
        number = counts[first.event_id]
        titles = FIRST if number == len(FIRST) else (PICTURE,) * number
        pictures += [(titles[n], picture_link(first.event_id, n), first.at) for n in range(min(number, MOST))]
        if len(with_pictures) > 1:
            pictures.append((LATEST, picture_link(with_pictures[-1].event_id), with_pictures[-1].at))
    there = [each for each in seen if each.over_at is None]
    over_at = max((each.over_at for each in seen if each.over_at), default=None) if not there else None
    link = f"geo:{water.lat:.5f},{water.lon:.5f}" if water.lat is not None and water.lon is not None else ""
    return AboutWater(water.id, water.name, KINDS[water.kind], water.note, link, pictures[:MOST], over_at, len(seen))
