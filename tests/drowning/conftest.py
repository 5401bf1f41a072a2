"""A water with two cameras, and the people who are asked when somebody steps into its zone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import pytest

from shouwang.config import wiring
from shouwang.journal.actions import listen
from shouwang.journal.queries import events_after
from shouwang.people import queries as people
from shouwang.people.actions import NewDuty, NewPerson, add_persons, assign_duties
from shouwang.people.rules import SYSTEM
from shouwang.places import queries as places
from shouwang.places.actions import add_area
from shouwang.systems.drowning import actions, jobs
from shouwang.systems.drowning.rules.waters import NewWater
from shouwang.telemetry.actions import add_things, record_device_events
from shouwang.telemetry.rules import DeviceRecord, EventKind, EventState, NewThing, SeenObject, Snapshot

SHORE, WATER = [[0, 0.5], [1, 0.5], [1, 0.75], [0, 0.75]], [[0, 0.75], [1, 0.75], [1, 1], [0, 1]]
ON_SHORE, IN_WATER, ABOVE = (0.4, 0.3, 0.5, 0.6), (0.4, 0.6, 0.5, 0.9), (0.4, 0.1, 0.5, 0.4)


@dataclass
class Pond:
    """The water, its cameras and its people; `tell` lets a camera tell something and everybody hear it."""

    water: int
    cameras: list[int]
    things: list[int]
    area: int
    path: str
    cadre: int
    leader: int
    township: int
    told: list[int] = field(default_factory=list)

    def tell(self, at: datetime, *, camera: int = 0, who: str = "1", **more: object) -> int:
        """Let a camera tell one event and the system hear it; return the event."""
        given: dict[str, object] = {
            "kind": EventKind.ENTER, "state": EventState.START, "object": SeenObject.HUMAN, "box": ON_SHORE, "device_at": at, **more,
        }
        record = DeviceRecord(device=f"CAM-{camera + 1}", rule="1", object_id=who, **given)  # type: ignore[arg-type]
        taken = record_device_events([record], source="camera_json", now=at)
        (event_id,) = (*taken.recorded, *taken.repeated)
        self.hear(at)
        return event_id

    def hear(self, at: datetime) -> None:
        """Let the listeners of the system hear what is new, at a moment."""
        listen(jobs.SEEN, lambda events: actions.take_events({e.subject_id for e in events if e.subject_id}, now=at), lambda seq: events_after(seq, kinds=jobs.SEEN_KINDS))
        for name, kinds, hear in wiring.LISTENERS:
            if name.startswith(("drowning.", "alerts.")):
                listen(name, hear, lambda seq, kinds=kinds: events_after(seq, kinds=kinds))


@pytest.fixture
def now() -> datetime:
    """Noon of a summer's day in Liaocheng."""
    return datetime(2026, 7, 1, 4, 0, tzinfo=UTC)


@pytest.fixture
def pond(db: None, now: datetime) -> Iterator[Pond]:
    city = add_area(name="示例市", level="PREFECTURE", parent_id=None, now=now)
    county = add_area(name="示例县", level="COUNTY", parent_id=city, now=now)
    township = add_area(name="示例镇", level="TOWNSHIP", parent_id=county, now=now)
    village = add_area(name="东村", level="VILLAGE", parent_id=township, now=now)
    area = places.area(village)
    persons = add_persons(SYSTEM, [NewPerson(name, place, f"1000000000{n}") for n, (name, place) in enumerate([("甲", village), ("乙", village), ("丙", township)])], now=now)
    since = date(2026, 1, 1)
    assign_duties(SYSTEM, [
        NewDuty(persons[0], "VILLAGE_CADRE", village, since, "PRIMARY"), NewDuty(persons[1], "GRID_LEADER", village, since, "PRIMARY"),
        NewDuty(persons[2], "TOWNSHIP_DUTY", township, since, "PRIMARY"),
    ], now=now)
    actions.publish_shipped(now=now - timedelta(days=1))
    add_things([NewThing(f"CAM-{n}", "CAMERA", f"{n} 号机", (), village, area.path) for n in (1, 2)], now=now)
    water = actions.add_water(SYSTEM, NewWater("东坑塘", "POND", village, 115.98, 36.45, "东村村委会"), now=now)
    cameras = [actions.add_camera(SYSTEM, water, external_id=f"CAM-{n}", now=now) for n in (1, 2)]
    people.forget()
    from shouwang.systems.drowning.models import Camera  # noqa: PLC0415 - the test looks behind

    things = [Camera.objects.get(pk=each).thing_id for each in cameras]
    yield Pond(water, cameras, things, village, area.path, *persons)
    people.forget()


@pytest.fixture
def drawn(pond: Pond, now: datetime) -> Pond:
    """The pond with a shore and a water zone on its first camera."""
    zones = [actions.NewZone("岸", "SHORE", SHORE), actions.NewZone("水", "WATER", WATER)]
    actions.save_zones(SYSTEM, pond.cameras[0], zones, now=now)
    return pond


Tell = Callable[..., int]
PICTURE = Snapshot
