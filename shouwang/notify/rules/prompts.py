"""The sentences that are recorded in the package, by code. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from shouwang.kernel.texts import Text

TEST_TONE = "TEST_TONE"
PROMPTS: Mapping[str, Text] = {
    "WATER_EDGE": Text("危险水域，请勿靠近。", "Dangerous water. Keep away."),
    "WATER_EDGE_FIRM": Text("您已进入危险水域，请立即离开。", "You have entered dangerous water. Leave at once."),
    "WATER_EDGE_CHILD": Text("小朋友，这里水深危险，请马上离开岸边。", "Children: the water here is deep. Leave the bank now."),
    "WATER_EDGE_LAST": Text("村干部正在赶来，请立即离开水边。", "The village cadre is on the way. Leave the water's edge at once."),
    "FLOOD_RELEASE": Text("上游即将放水，请立即离开河道。", "Water is about to be released upstream. Leave the river bed at once."),
    TEST_TONE: Text("测试音", "Test tone"),
}
"""What each says; the test tone says nothing. They are spoken in Chinese, the English is for whoever sets them up."""
