"""Writes of the drowning system: what cameras saw, waters and zones, who is known, labels, and what is shipped."""

from shouwang.systems.drowning.actions.labelling import label_case
from shouwang.systems.drowning.actions.pictures import shown_copy
from shouwang.systems.drowning.actions.publishing import publish_shipped
from shouwang.systems.drowning.actions.speaking import be_quiet
from shouwang.systems.drowning.actions.taking import let_go, take_events
from shouwang.systems.drowning.actions.waters import (
    NewZone,
    add_camera,
    add_water,
    declare_known,
    end_known,
    retire_water,
    save_zones,
    set_threshold,
)

__all__ = [
    "NewZone", "add_camera", "add_water", "be_quiet", "declare_known", "end_known", "label_case", "let_go", "publish_shipped", "retire_water",
    "save_zones", "set_threshold", "shown_copy", "take_events",
]
