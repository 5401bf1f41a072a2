"""What places refuses, and what to do then."""

from __future__ import annotations

from collections.abc import Mapping

from shouwang.kernel.errors import ShouwangError
from shouwang.kernel.texts import Text

COLUMN_NAMES: Mapping[str, str] = {"name": "名称", "level": "级别", "parent": "上级", "code": "区划代码", "lon, lat": "经度、纬度"}


class PlacesError(ShouwangError):
    """The root of this room's errors; a parameter that is a Text speaks the reader's language too."""

    status = 422

    def text(self, language: str) -> str:
        """Return the message in `language` ("zh" or "en")."""
        return self.rendered(self.en if language.startswith("en") else self.zh, self.params, language)

    @staticmethod
    def rendered(template: str, params: Mapping[str, object], language: str) -> str:
        """Return `template` filled with `params`, of which texts are in `language`."""
        return template.format(**{name: said.render(language, {}) if isinstance(said, Text) else said for name, said in params.items()})


class NameInvalid(PlacesError):
    """An area's name is empty or too long."""

    zh = "名称“{found}”不可用；应为 1 至 {limit} 个字。"
    en = "The name {found!r} cannot be used; expected 1 to {limit} characters."


class NameTaken(PlacesError):
    """Another area under the same parent has this name."""

    zh = "“{parent}”下已有“{name}”（编号 {area}）；请换一个名称，或修改原有的那个。"
    en = "{parent} already has an area named {name} (number {area}); choose another name or change that one."
    status = 409


class CodeInvalid(PlacesError):
    """A code is not one of GB/T 2260 with twelve digits."""

    zh = "区划代码“{found}”不可用；应为 12 位数字，没有代码请留空。"
    en = "The division code {found!r} cannot be used; expected 12 digits, or nothing when there is none."


class CodeTaken(PlacesError):
    """Another area has this code."""

    zh = "区划代码 {code} 已属于“{name}”（编号 {area}）；请核对代码。"
    en = "The division code {code} already belongs to {name} (number {area}); check the code."
    status = 409


class LevelInvalid(PlacesError):
    """An area of this level cannot stand under that parent."""

    zh = "“{found}”级的区域不能放在“{parent}”之下；请选择级别更高的上级。"
    en = "An area of level {found} cannot stand under {parent}; choose a parent of a higher level."


class MoveInvalid(PlacesError):
    """An area cannot be moved into itself."""

    zh = "“{name}”不能移到自己或自己的下级之下；请选择别的上级。"
    en = "{name} cannot be moved under itself or an area below it; choose another parent."


class PositionInvalid(PlacesError):
    """These are not degrees of a place on the earth."""

    zh = "经纬度 {lon}, {lat} 不可用；经度应在 ±180、纬度应在 ±90 之内。"
    en = "The position {lon}, {lat} cannot be used; longitude within ±180 and latitude within ±90 degrees."


class SystemUnknown(PlacesError):
    """An import with positions does not say which coordinate system they are in."""

    zh = "没有说明坐标系（找到“{found}”）；请在 WGS84（含 CGCS2000）、GCJ02（高德、腾讯）、BD09（百度）中选择。"
    en = "The coordinate system is not stated (found {found!r}); choose WGS84 (also CGCS2000), GCJ02 (Amap, Tencent) or BD09 (Baidu)."


class SettingUnknown(PlacesError):
    """No room has declared this setting."""

    zh = "没有名为“{key}”的区域设置；可用的有：{expected}。"
    en = "There is no area setting named {key!r}; known are: {expected}."
    status = 404


class SettingInvalid(PlacesError):
    """The value of a setting cannot be used."""

    zh = "设置“{key}”的值“{found}”不可用；应为{expected}。"
    en = "The value {found!r} of the setting {key} cannot be used; expected {expected}."


class WorkingDaysInvalid(PlacesError):
    """A number of working days is out of range."""

    zh = "工作日数 {found} 不可用；应在 0 至 {limit} 之间。"
    en = "{found} working days cannot be counted; expected 0 to {limit}."


class NoWorkingDay(PlacesError):
    """A calendar has no working day, or no working hours, for too long."""

    zh = "自 {start} 起一年内没有工作时间；请检查工作日历设置。"
    en = "There is no working time within a year from {start}; check the settings of the working calendar."


class ImportUnreadable(PlacesError):
    """An imported file as a whole cannot be read."""

    zh = "文件无法读取：{found}；应为{expected}。"
    en = "The file cannot be read: {found}; expected {expected}."


class RowInvalid(PlacesError):
    """A row of an imported list cannot be used."""

    zh = "“{column}”为“{found}”，应为{expected}。"
    en = "{column} is {found!r}, expected {expected}."

    def text(self, language: str) -> str:
        """Return the message in `language`, with the column as a Chinese heading names it."""
        column = str(self.params["column"])
        said = {**self.params, "column": column if language.startswith("en") else COLUMN_NAMES.get(column, column)}
        return self.rendered(self.en if language.startswith("en") else self.zh, said, language)
