"""Settings of an area that say when it is night and how often the voice may speak. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shouwang.kernel.texts import Text
from shouwang.places.rules.settings import SettingSpec
from shouwang.systems.drowning.rules.patrols import SETTINGS as PATROLS
from shouwang.systems.drowning.rules.voice import Manners
from shouwang.systems.drowning.rules.zones import Hours

_HOUR = Text("0–23 的整点；与另一头相同即没有夜间。", "A whole hour from 0 to 23; the same as the other end: no night.")
NIGHT_FROM = SettingSpec("drowning.night_from", Text("水边夜间从几点起", "Night at waters begins at"), "INTEGER", 21, _HOUR)
NIGHT_UNTIL = SettingSpec("drowning.night_until", Text("水边夜间到几点止", "Night at waters ends at"), "INTEGER", 5, _HOUR)
VOICE_NIGHT_FROM = SettingSpec("drowning.voice_night_from", Text("喇叭夜间从几点起", "The voice's night begins at"), "INTEGER", 22, _HOUR)
VOICE_NIGHT_UNTIL = SettingSpec("drowning.voice_night_until", Text("喇叭夜间到几点止", "The voice's night ends at"), "INTEGER", 6, _HOUR)
VOICE_QUIET_S = SettingSpec(
    "drowning.voice_quiet_s", Text("喇叭说完一轮后安静多少秒", "Seconds of quiet after the voice has spoken"), "INTEGER", 60,
)
VOICE_NIGHT_MOST = SettingSpec(
    "drowning.voice_night_most", Text("夜间每小时最多说几轮", "How often an hour the voice may speak at night"), "INTEGER", 4,
    Text("夜间喇叭少说话，以免扰民；报警照旧。", "At night people sleep near by; alerts are sent all the same."),
)
OFFLINE_MINUTES = SettingSpec(
    "drowning.offline_minutes", Text("摄像机多少分钟没有消息算离线", "Minutes of silence after which a camera is offline"), "INTEGER", 5,
)
ALL = (NIGHT_FROM, NIGHT_UNTIL, VOICE_NIGHT_FROM, VOICE_NIGHT_UNTIL, VOICE_QUIET_S, VOICE_NIGHT_MOST, OFFLINE_MINUTES, *PATROLS)


def night_of(values: Mapping[str, Any]) -> Hours | None:
    """Return the night at waters, None where an area has none."""
    return _hours(values[NIGHT_FROM.key], values[NIGHT_UNTIL.key])


def manners_of(values: Mapping[str, Any]) -> Manners:
    """Return how the voice of an area behaves."""
    night = _hours(values[VOICE_NIGHT_FROM.key], values[VOICE_NIGHT_UNTIL.key])
    return Manners(quiet_s=max(0, values[VOICE_QUIET_S.key]), night=night, night_most_an_hour=max(0, values[VOICE_NIGHT_MOST.key]))


def _hours(start: int, end: int) -> Hours | None:
    return None if start % 24 == end % 24 else Hours(start % 24 * 60, end % 24 * 60)
