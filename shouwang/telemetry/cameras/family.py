"""What a family of cameras is: how its messages are read, what an office sets for it, and how it is followed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec

from shouwang.telemetry.rules import DeviceRecord

Positive = Annotated[int, msgspec.Meta(ge=10, le=86_400)]


class Camera(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is set for one camera or recorder. With `url` we connect to it; without, it connects to us.

    `password` is the device's own, for `user`. With `token`, a token of Shouwang, that user may push by digest. `channels` names the
    things behind a recorder by its channels. After `silent_s` without a sign of life it is OFFLINE.
    """

    url: str = ""
    user: str = ""
    password: str = ""
    token: str = ""
    channels: dict[str, str] = {}
    silent_s: Positive = 180


class CameraSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is set for a family: its cameras by device, and the zone of clocks that name none."""

    cameras: dict[str, Camera] = {}
    timezone: str = "Asia/Shanghai"

    def __post_init__(self) -> None:
        """Check the zone. Raises ValueError."""
        try:
            ZoneInfo(self.timezone)
        except (KeyError, OSError) as error:
            message = f"timezone {self.timezone!r} is not known; use a name as Asia/Shanghai"
            raise ValueError(message) from error

    @property
    def zone(self) -> tzinfo:
        """Return the zone of clocks that name none."""
        return ZoneInfo(self.timezone)

    def channels_of(self, device: str) -> Mapping[str, str]:
        """Return the things behind the channels of a recorder."""
        found = self.cameras.get(device)
        return found.channels if found else {}


def logins_of(said: CameraSettings) -> dict[str, Camera]:
    """Return the cameras that may push by digest, by their user, which is the device where none is set."""
    return {camera.user or device: camera for device, camera in said.cameras.items() if camera.token and camera.password}


Decode = Callable[[bytes, str, Any], list[DeviceRecord]]
"""From a message, its Content-Type and the settings to what it tells; nothing for a sign of life. Raises BodyInvalid."""


@dataclass(frozen=True)
class Told:
    """What a device has told over a connection of ours; told without records it is a sign of life."""

    device: str
    records: Sequence[DeviceRecord] = ()


Hear = Callable[[Told], Awaitable[None]]
"""Returns once what was told is committed. Raises ConnectionError while nothing can be stored."""


@dataclass(frozen=True)
class Following:
    """What a connection to a camera needs beside its settings. `now` and `chance` come from outside."""

    device: str
    camera: Camera
    said: Any
    hear: Hear
    now: Callable[[], datetime]
    chance: Callable[[], float]


@dataclass(frozen=True)
class Family:
    """One language of cameras. `follow` runs one connection until it breaks; `listen` serves until it is cancelled.

    `body` and `example` describe what is pushed, for a family that pushes.
    """

    name: str
    settings: type[CameraSettings]
    decode: Decode
    body: Any = None
    example: Any = None
    follow: Callable[[Following], Awaitable[None]] | None = None
    listen: Callable[[Any, Hear, Callable[[], datetime]], Awaitable[None]] | None = None

    @property
    def is_pushed(self) -> bool:
        """Return whether its messages come in through the interface."""
        return self.body is not None
