"""Reads of the drowning system."""

from shouwang.systems.drowning.queries.sightings import (
    THERE,
    begun_ladders,
    known_at,
    near_at,
    picture_of,
    pictures_of,
    sightings_of_case,
    standing_waters,
    unjudged,
)
from shouwang.systems.drowning.queries.waters import (
    CameraRow,
    WaterRow,
    camera_in,
    cameras_of,
    resolve_cameras,
    resolve_waters,
    values_at,
    water_in,
    zones_of,
)

__all__ = [
    "THERE", "CameraRow", "WaterRow", "begun_ladders", "camera_in", "cameras_of", "known_at", "near_at", "picture_of", "pictures_of", "resolve_cameras", "resolve_waters",
    "sightings_of_case", "standing_waters", "unjudged", "values_at", "water_in", "zones_of",
]
