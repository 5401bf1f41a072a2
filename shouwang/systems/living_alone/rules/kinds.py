"""The kinds of alerts of the living-alone system, why each was raised in one sentence, and how often it is one for nothing. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from shouwang.alerts.rules import AlertKind
from shouwang.kernel.texts import Text
from shouwang.systems.living_alone.rules.procedures import SYSTEM

CALL, VISIT, HARD_STOP, LOW_USE = "WATER_SILENCE_CALL", "WATER_SILENCE", "WATER_HARD_STOP", "WATER_LOW_USE"
NO_DATA, GATEWAY_NO_DATA = "WATER_NO_DATA", "GATEWAY_NO_DATA"
SILENCE = "WATER_SILENCE"
"""The family of one silence: its tiers are one alert and one case, which the graver tier raises."""

KINDS = (
    AlertKind(CALL, SYSTEM, "WELFARE_CHECK", "久未用水（先电话）", "No water used for unusually long (call)", family=SILENCE),
    AlertKind(VISIT, SYSTEM, "WELFARE_CHECK", "久未用水", "No water used for unusually long", urgency="Immediate", family=SILENCE),
    AlertKind(HARD_STOP, SYSTEM, "WELFARE_CHECK", "一昼夜未用水", "No water used for a day", urgency="Immediate", family=SILENCE),
    AlertKind(LOW_USE, SYSTEM, "WELFARE_CHECK", "用水过少", "Too little water used", urgency="Immediate", family=SILENCE),
    AlertKind("WATER_HIGH_USE", SYSTEM, "WELFARE_CHECK", "用水过多", "Too much water used"),
    AlertKind("WATER_LEAK", SYSTEM, "LEAK_CHECK", "疑似漏水", "Perhaps a leak", response_type="Monitor"),
    AlertKind(NO_DATA, SYSTEM, "METER_CHECK", "水表无数据", "No data from the meter", response_type="Monitor"),
    AlertKind(GATEWAY_NO_DATA, SYSTEM, "METER_CHECK", "集中器失联", "No data from a gateway", response_type="Monitor"),
)
SILENCES = frozenset(kind.code for kind in KINDS if kind.family == SILENCE)
EXPLAINED_BY_ABSENCE = SILENCES
"""What an announced absence explains: nobody at home uses no water. A burst pipe and a dead meter it does not."""

_AGAIN = Text(
    "从{last_use_us} 以后没有再用水；往常 100 次里有 {again_of_100} 次到{again_by_us} 前会再用",
    "No water since {last_use_us}; usually it is used again before {again_by_us}, {again_of_100} times in 100",
)
_REASONS = {
    "WATER_SILENCE_CALL_OPEN": _AGAIN,
    "WATER_SILENCE_OPEN": _AGAIN,
    "WATER_HARD_STOP_OPEN": Text(
        "从{last_use_us} 以后已有 {silent_h} 小时没有用水，满一昼夜必须见到人", "No water used for {silent_h} hours, since {last_use_us}; after a day somebody must see the person",
    ),
    "WATER_LOW_USE_OPEN": Text(
        "近 {window_h} 小时只用水 {used_l} 升（低于 {limit_l} 升）", "Only {used_l} L of water used in {window_h} hours (under {limit_l} L)",
    ),
    "WATER_HIGH_USE_OPEN": Text(
        "近 {window_h} 小时用水 {used_l} 升（超过 {limit_l} 升）", "{used_l} L of water used in {window_h} hours (over {limit_l} L)",
    ),
    "WATER_HIGH_BY_HABIT_OPEN": Text(
        "近 24 小时用水 {used_24h_l} 升，最近一小时 {last_hour_l} 升；往常一小时最多 {usual_most_hour_l} 升",
        "{used_24h_l} L of water used in 24 hours, {last_hour_l} L in the last; this home never used more than {usual_most_hour_l} L in an hour",
    ),
    "WATER_LEAK_OPEN": Text(
        "连续 24 小时每个小时都在用水，共 {used_24h_l} 升，可能漏水", "Water ran in every one of 24 hours, {used_24h_l} L in all: perhaps a leak",
    ),
    "WATER_NO_DATA_OPEN": Text("水表超过 {max_gap_h} 小时没有读数", "The meter has sent no reading for over {max_gap_h} hours"),
    "GATEWAY_NO_DATA_OPEN": Text(
        "集中器 {gateway} 失联：{meters} 只水表 {hours} 小时没有任何读数",
        "Gateway {gateway} is silent: nothing from its {meters} meters for {hours} hours",
    ),
    "METER_SILENT_OPEN": Text(
        "登记的水表 {hours} 小时内没有任何读数，可能从未上报", "The enrolled meter has sent nothing for {hours} hours, perhaps never",
    ),
    "SAID_WELL_UNUSED_OPEN": Text(
        "{hours} 小时没有用水；此前曾答平安，之后仍没有用水", "No water used for {hours} hours; all was said to be well, and none was used since",
    ),
    "BACK_UNUSED_OPEN": Text(
        "外出应已返回 {window_h} 小时，只用水 {used_l} 升（低于 {limit_l} 升）",
        "Back from an absence for {window_h} hours by now, and only {used_l} L of water used (under {limit_l} L)",
    ),
}
REASONS = {
    **_REASONS,
    **{
        f"{code}_LATE": Text(f"{text.zh}（由迟到的读数得知）", f"{text.en} (known from late readings)")
        for code, text in _REASONS.items()
        if code.startswith("WATER_")
    },
}
"""Why a case was opened; a review of late readings says so."""

FALSE_PER_HOME_YEAR: Mapping[str, float] = {CALL: 8, VISIT: 2, HARD_STOP: 0.7, "WATER_HIGH_BY_HABIT": 0.9, "WATER_LEAK": 0.7}
"""By reason: what the detectors are set for, or were measured at, on homes whose absences were announced (docs/explanation/silence.md)."""
RATES = {
    f"{code}_OPEN_RATE": Text(f"这类提醒平均每户每年约 {often:g} 次是虚惊", f"Such an alert is one for nothing about {often:g} times a year in a home")
    for code, often in FALSE_PER_HOME_YEAR.items()
}

RULES: Mapping[str, Text] = {
    "silence": Text("按各户习惯：久未用水", "By each home's habits: no water for too long"),
    "high_use": Text("按各户习惯：用水过多、漏水", "By each home's habits: too much water, leaks"),
    "no_data": Text("水表无数据", "No data from the meter"),
    "low_high_24h": Text("24 小时少于 10 升或多于 1000 升（聊城在用）", "Under 10 L or over 1,000 L in 24 hours (in service in Liaocheng)"),
    "low_12h": Text("12 小时少于 10 升（上海、深圳在用）", "Under 10 L in 12 hours (in service in Shanghai and Shenzhen)"),
    "fixed_hours": Text("12 小时没有用水（珠海在用）", "No water in 12 hours (in service in Zhuhai)"),
    "sakaki_8h": Text("8 小时没有用水（日本坂城在用）", "No water in 8 hours (in service in Sakaki, Japan)"),
}
"""The rules an office may switch on, by detector."""
