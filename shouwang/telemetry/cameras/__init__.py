"""What the families of cameras share: XML and multipart as firmwares send them, digest, settings, and the way to an event."""

from shouwang.telemetry.cameras.family import Camera, CameraSettings, Family, Following, Told

__all__ = ["Camera", "CameraSettings", "Family", "Following", "Told"]
