"""The kinds of alerts of the drowning system and their reasons. Pure.

They claim what a camera can show: a person at the water's edge. Whether somebody drowns no camera here can tell.
"""

from __future__ import annotations

from collections.abc import Mapping

from shouwang.alerts.rules import AlertKind
from shouwang.kernel.severity import Severity
from shouwang.kernel.texts import Text

SYSTEM = "drowning"
EDGE = "WATER_EDGE"
"""The family of what happens at one water: one alert and one case, which the graver kind raises."""
PERSON, STAY, UNSURE = "WATER_EDGE", "WATER_EDGE_STAY", "WATER_EDGE_UNSURE"
GROUP, CHILD, ALONE_AT_NIGHT, ENTERED = "WATER_EDGE_GROUP", "WATER_EDGE_CHILD", "WATER_EDGE_NIGHT", "WATER_ENTERED"
SEVERITY: Mapping[str, int] = {
    UNSURE: Severity.YELLOW, PERSON: Severity.ORANGE, STAY: Severity.ORANGE, GROUP: Severity.RED, CHILD: Severity.RED,
    ALONE_AT_NIGHT: Severity.RED, ENTERED: Severity.RED,
}
OFFLINE, COVERED, BLURRED, MOVED = "CAMERA_OFFLINE", "CAMERA_COVERED", "CAMERA_BLURRED", "CAMERA_MOVED"
NO_PICTURE, STORAGE, CLOCK, SPEAKER = "CAMERA_NO_PICTURE", "CAMERA_STORAGE", "CAMERA_CLOCK", "SPEAKER_DEAD"
HEALTH_OF: Mapping[str, str] = {
    "OFFLINE": OFFLINE, "TAMPER": COVERED, "BLUR": BLURRED, "MOVED": MOVED, "VIDEO_LOSS": NO_PICTURE, "STORAGE_FULL": STORAGE,
    "CLOCK_WRONG": CLOCK, "SPEAKER_DEAD": SPEAKER,
}
"""Which kind of alert a device's word about itself is."""
_EDGE_TITLES = {
    UNSURE: Text("水边疑似有人，请核查", "Perhaps a person at the water's edge"), PERSON: Text("有人进入危险水域", "A person at the water's edge"),
    STAY: Text("有人滞留水边", "A person stays at the water's edge"), GROUP: Text("多人聚集水边", "A group at the water's edge"),
    CHILD: Text("疑似儿童在水边", "Probably a child at the water's edge"), ALONE_AT_NIGHT: Text("夜间一人在水边", "Alone at the water's edge at night"),
    ENTERED: Text("有人从岸边下水", "A person went from the shore into the water"),
}
_HEALTH_TITLES = {
    OFFLINE: Text("摄像机离线", "Camera offline"), COVERED: Text("镜头被遮挡", "Lens covered"), BLURRED: Text("画面模糊", "Picture blurred"),
    MOVED: Text("画面移位", "Picture moved"), NO_PICTURE: Text("没有画面", "No picture"), STORAGE: Text("存储已满", "Storage full"),
    CLOCK: Text("时钟不准", "Clock wrong"), SPEAKER: Text("喇叭失效", "Loudspeaker dead"),
}
TITLES: Mapping[str, Text] = {**_EDGE_TITLES, **_HEALTH_TITLES}
KINDS = (
    *(
        AlertKind(
            code, SYSTEM, "WATER_EDGE_CHECK", title.zh, title.en, urgency="Expected" if code == UNSURE else "Immediate",
            certainty="Possible" if code == UNSURE else "Likely", family=EDGE,
        )
        for code, title in _EDGE_TITLES.items()
    ),
    *(AlertKind(code, SYSTEM, "CAMERA_CHECK", title.zh, title.en, response_type="Monitor") for code, title in _HEALTH_TITLES.items()),
)
_WHERE_ZH, _WHERE_EN = "{water}：", "{water}: "
REASONS: Mapping[str, Text] = {
    f"{UNSURE}_OPEN": Text(_WHERE_ZH + "画面上疑似有人，未能确认", _WHERE_EN + "perhaps a person in the picture, not confirmed"),
    f"{PERSON}_OPEN": Text(_WHERE_ZH + "{persons} 人进入警戒区域", _WHERE_EN + "{persons} in the guarded zone"),
    f"{STAY}_OPEN": Text(_WHERE_ZH + "{persons} 人在警戒区域内滞留", _WHERE_EN + "{persons} staying in the guarded zone"),
    f"{GROUP}_OPEN": Text(_WHERE_ZH + "{persons} 人聚集在水边", _WHERE_EN + "a group of {persons} at the water's edge"),
    f"{CHILD}_OPEN": Text(_WHERE_ZH + "疑似儿童进入警戒区域", _WHERE_EN + "probably a child in the guarded zone"),
    f"{ALONE_AT_NIGHT}_OPEN": Text(_WHERE_ZH + "夜间一人独自在水边", _WHERE_EN + "somebody alone at the water's edge at night"),
    f"{ENTERED}_OPEN": Text(_WHERE_ZH + "有人从岸边下水", _WHERE_EN + "somebody went from the shore into the water"),
    **{f"{code}_OPEN": Text("{camera}：" + title.zh, "{camera}: " + title.en) for code, title in _HEALTH_TITLES.items()},
}
