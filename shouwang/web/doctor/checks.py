"""One line a check, in both languages, with what to type when something is not as it should be. Pure."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

State = Literal["OK", "WARNING", "ERROR"]
OK: State = "OK"
WARNING: State = "WARNING"
ERROR: State = "ERROR"
OLDEST_PYTHON = (3, 11)
GIB = 1024**3
FULL_BYTES = 1 * GIB
SCARCE_BYTES = 10 * GIB
CLOCKS_APART_S = 5.0
EARLIEST_YEAR = 2026
REVIEW = re.compile(r"GS[^()（）]{0,4}[（(]\d{4}[）)]\d+号")


@dataclass(frozen=True)
class Check:
    """What was found about one thing, in both languages, and what to type when it is not as it should be."""

    code: str
    state: State
    zh: str
    en: str
    type: str = ""


def python_check(version: tuple[int, ...]) -> Check:
    """Return whether this Python is new enough."""
    said = ".".join(map(str, version[:3]))
    if version[:2] >= OLDEST_PYTHON:
        return Check("python", OK, f"Python {said}", f"Python {said}")
    return Check("python", ERROR, f"Python {said} 太旧，需要 3.11 或更新", f"Python {said} is too old, 3.11 or newer is needed", "apt-get install python3.11 python3.11-venv")


def disk_check(folder: Path, free_bytes: int) -> Check:
    """Return whether the data folder has room."""
    state = OK if free_bytes >= SCARCE_BYTES else WARNING if free_bytes >= FULL_BYTES else ERROR
    free = f"{free_bytes / GIB:.1f} GiB"
    return Check(
        "disk", state, f"数据文件夹 {folder} 剩余 {free}", f"{free} free in the data folder {folder}", "" if state == OK else f"df -h {folder}",
    )


def clock_checks(now: datetime, *, zone: str, synchronised: bool | None, scaled_speed: float | None) -> list[Check]:
    """Return whether the machine's clock can be right, and whether the zone is known; `synchronised` None means not told."""
    said = f"{now:%Y-%m-%d %H:%M:%S} UTC"
    checks = [Check("clock", OK, f"时钟 {said}", f"the clock shows {said}")]
    if now.year < EARLIEST_YEAR:
        checks = [Check("clock", ERROR, f"时钟为 {said}，早于本程序的发布", f"the clock shows {said}, before this program was made", "timedatectl set-ntp true")]
    elif synchronised is False:
        checks = [Check("clock", WARNING, f"时钟 {said}，没有与时间服务器同步", f"the clock shows {said}, not synchronised with a time server", "timedatectl set-ntp true")]
    if scaled_speed is not None:
        checks.append(Check("scaled_clock", WARNING, f"正在使用回放时钟，{scaled_speed:g} 倍速；真实业务不可用", f"a replay's clock is in use, {scaled_speed:g} times real time; not for real work", "SHOUWANG_DATA_DIR=…"))
    try:
        ZoneInfo(zone)
        checks.append(Check("zone", OK, f"时区 {zone}", f"zone {zone}"))
    except (ZoneInfoNotFoundError, ValueError):
        checks.append(Check("zone", ERROR, f"没有时区 {zone} 的数据", f"no data for the zone {zone}", f"{sys.executable} -m pip install tzdata"))
    return checks


def fonts_check(listed: str | None) -> Check:
    """Return whether Chinese fonts are there, from what `fc-list :lang=zh` says; None means that it is not installed."""
    install = "apt-get install fonts-noto-cjk fontconfig"
    if listed is None:
        return Check("fonts", WARNING, "没有 fc-list，无法检查中文字体", "fc-list is missing, so Chinese fonts cannot be checked", install)
    count = len(listed.splitlines())
    if not count:
        return Check("fonts", WARNING, "没有中文字体，截图和文书会显示方块", "no Chinese font; pictures and documents will show boxes", install)
    return Check("fonts", OK, f"中文字体 {count} 个", f"{count} Chinese fonts")


def database_check(name: str, *, problem: str, seconds_apart: float) -> Check:
    """Return whether the database answers, and its clock agrees with this machine's."""
    if problem:
        return Check("database", ERROR, f"数据库 {name} 无法访问：{problem}", f"the database {name} cannot be reached: {problem}", "SHOUWANG_DATABASE=postgresql://… shouwang doctor")
    if abs(seconds_apart) > CLOCKS_APART_S:
        return Check("database", WARNING, f"数据库 {name} 的时钟相差 {seconds_apart:.0f} 秒", f"the clock of the database {name} differs by {seconds_apart:.0f} s", "timedatectl set-ntp true")
    return Check("database", OK, f"数据库 {name} 可用", f"the database {name} answers")


def migrations_check(waiting: int) -> Check:
    """Return whether the tables are those of this version."""
    if waiting:
        return Check("migrations", ERROR, f"有 {waiting} 个表结构升级没有执行", f"{waiting} migrations are not applied", "shouwang migrate")
    return Check("migrations", OK, "表结构已是最新", "the tables are up to date")


def calendar_check(today: date, *, until: date) -> Check:
    """Return whether the working calendar is confirmed for the whole year; in the next year's absence days are provisional."""
    if until >= date(today.year, 12, 31):
        return Check("calendar", OK, f"工作日历已确认至 {until}", f"the working calendar is confirmed until {until}")
    return Check("calendar", WARNING, f"工作日历只确认至 {until}，之后按周一至周五暂算", f"the working calendar is confirmed until {until} only; later days are provisional", "http://…/places/ → calendar.confirmed_until")


def map_check(review: str) -> Check:
    """Return whether the map carries a review number, without which it may not be shown in public."""
    if REVIEW.search(review):
        return Check("map", OK, f"地图{review}", f"the map's review number: {review}")
    return Check("map", ERROR, "地图没有审图号，不得公开显示", "the map has no review number and may not be shown in public", "https://bzdt.ch.mnr.gov.cn/")


def assets_check(missing: Iterable[str]) -> Check:
    """Return whether the browser's files are built."""
    names = ", ".join(missing)
    if names:
        return Check("assets", ERROR, f"页面资源缺少 {names}", f"the browser's files lack {names}", "make assets")
    return Check("assets", OK, "页面资源已生成", "the browser's files are built")


def accounts_check(*, nobody: bool) -> Check:
    """Return whether anybody can sign in."""
    if nobody:
        return Check("accounts", WARNING, "还没有管理员，谁也不能登录", "there is no administrator yet and nobody can sign in", "shouwang first-run")
    return Check("accounts", OK, "已有账号", "there are accounts")


def keys_check(place: str, *, problem: str = "", closed: Iterable[str] = ()) -> Check:
    """Return whether the keys of telephone and identity numbers open what is stored; `place` is where they lie, no backup holds them."""
    columns = ", ".join(closed)
    if problem or columns:
        return Check(
            "keys", ERROR, f"加密密钥（{place}）打不开 {columns or '任何号码'}：{problem or '不是这个数据库的密钥'}",
            f"the keys ({place}) do not open {columns or 'any number'}: {problem or 'they belong to another database'}",
            f"cp <保存的密钥 · the kept keys> {place}",
        )
    return Check(
        "keys", OK, f"加密密钥在 {place}，与数据相符；备份中没有密钥，请另存一份", f"the keys in {place} fit the data; no backup holds them: keep a copy apart",
    )


def channel_checks(problems: Mapping[str, Iterable[tuple[str, str]]]) -> list[Check]:
    """Return a check for each channel that is switched on, from what is wrong with each."""
    if not problems:
        return [Check("channels", WARNING, "只有站内消息，没有启用短信等渠道", "only the inbox: no channel such as SMS is switched on", "http://…/settings/channels/")]
    checks = []
    for code, wrong in problems.items():
        found = list(wrong)
        zh, en = "；".join(zh for zh, _ in found), "; ".join(en for _, en in found)
        checks.append(
            Check(f"channel.{code}", ERROR, f"渠道 {code}：{zh}", f"channel {code}: {en}", "http://…/settings/channels/") if found
            else Check(f"channel.{code}", OK, f"渠道 {code} 已启用", f"channel {code} is switched on"),
        )
    return checks


def source_checks(problems: Mapping[str, Iterable[tuple[str, str]]]) -> list[Check]:
    """Return a check for each source of readings that is set up, from what is wrong with each."""
    checks = []
    for name, wrong in problems.items():
        found = list(wrong)
        zh, en = "；".join(zh for zh, _ in found), "; ".join(en for _, en in found)
        checks.append(
            Check(f"source.{name}", ERROR, f"读数来源 {name}：{zh}", f"source {name}: {en}", "shouwang.toml") if found
            else Check(f"source.{name}", OK, f"读数来源 {name} 已设置", f"source {name} is set up"),
        )
    return checks


def port_check(port: int, *, answers: Literal["FREE", "OURS", "OTHER"]) -> Check:
    """Return whether the port that `serve` listens on is free, or taken by this program itself."""
    if answers == "OTHER":
        return Check("port", WARNING, f"端口 {port} 被其他程序占用", f"port {port} is taken by another program", f"shouwang serve --port {port + 1}")
    if answers == "OURS":
        return Check("port", OK, f"端口 {port} 上守望正在运行", f"Shouwang runs on port {port}")
    return Check("port", OK, f"端口 {port} 空闲", f"port {port} is free")
