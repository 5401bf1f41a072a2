"""What the room of places publishes: kinds of events, as they stand in the log for ever. Payloads hold ids and codes."""

AREA_ADDED = "place.area_added"
AREA_RENAMED = "place.area_renamed"
AREA_MOVED = "place.area_moved"
POINT_SET = "place.point_set"
SETTING_SET = "place.setting_set"
DIVISIONS_IMPORTED = "place.divisions_imported"
OUTLINES_IMPORTED = "place.outlines_imported"
