"""The kinds of waters and what their form may hold. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shouwang.kernel.texts import Text
from shouwang.systems.drowning.rules.errors import WaterWrong

KINDS: Mapping[str, Text] = {
    "POND": Text("坑塘", "Pond"), "RIVER": Text("河道", "River"), "CANAL": Text("沟渠", "Canal"), "RESERVOIR": Text("水库", "Reservoir"),
    "PIT": Text("取土坑、采石坑", "Pit"), "LAKE": Text("湖泊、湿地", "Lake"), "OTHER": Text("其他", "Other"),
}
NAME_LENGTH, OWNER_LENGTH, NOTE_LENGTH = 60, 80, 400


@dataclass(frozen=True)
class NewWater:
    """A water as somebody describes it; positions are WGS-84 degrees."""

    name: str
    kind: str
    area_id: int
    lon: float | None = None
    lat: float | None = None
    owner: str = ""
    note: str = ""
    level_datastream_id: int | None = None


def checked(water: NewWater) -> NewWater:
    """Return a water that may be kept. Raises WaterWrong."""
    if not water.name.strip() or len(water.name) > NAME_LENGTH:
        raise WaterWrong(field="名称 name", found=water.name[:20] or "—", expected=f"1–{NAME_LENGTH}")
    if water.kind not in KINDS:
        raise WaterWrong(field="种类 kind", found=water.kind[:20], expected=" ".join(KINDS))
    if (water.lon is None) != (water.lat is None):
        raise WaterWrong(field="位置 position", found=f"{water.lon}, {water.lat}", expected="两个都填或都不填 both or neither")
    if water.lon is not None and water.lat is not None and not (-180 <= water.lon <= 180 and -85 <= water.lat <= 85):
        raise WaterWrong(field="位置 position", found=f"{water.lon}, {water.lat}", expected="-180–180, -85–85")
    return water
