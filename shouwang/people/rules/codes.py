"""The codes people stores and their words: duties, ranks, household roles, facts, consents, channels. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shouwang.kernel.texts import Text

GRID_WORKER = "GRID_WORKER"
VILLAGE_CADRE = "VILLAGE_CADRE"
GRID_LEADER = "GRID_LEADER"
TOWNSHIP_DUTY = "TOWNSHIP_DUTY"
COUNTY_DUTY = "COUNTY_DUTY"
CITY_DUTY = "CITY_DUTY"
CIVIL_AFFAIRS = "CIVIL_AFFAIRS"
ADMINISTRATOR = "ADMINISTRATOR"
PRIMARY = "PRIMARY"
DEPUTY = "DEPUTY"
LINK = "LINK"
DEVICE = "DEVICE"
INTEGRATION = "INTEGRATION"
ACCOUNT = "ACCOUNT"

DUTIES: Mapping[str, Text] = {
    GRID_WORKER: Text("网格员", "Grid worker"),
    VILLAGE_CADRE: Text("村干部", "Village cadre"),
    GRID_LEADER: Text("网格长", "Grid leader"),
    TOWNSHIP_DUTY: Text("乡镇值班员", "Township duty officer"),
    COUNTY_DUTY: Text("县级值班员", "County duty officer"),
    CITY_DUTY: Text("市级值班员", "City duty officer"),
    CIVIL_AFFAIRS: Text("民政工作人员", "Civil affairs officer"),
    ADMINISTRATOR: Text("系统管理员", "Administrator"),
}
RANKS: Mapping[str, Text] = {PRIMARY: Text("主岗", "Primary"), DEPUTY: Text("备岗", "Deputy")}
ROLES: Mapping[str, Text] = {
    "RESIDENT": Text("住户", "Resident"),
    "RELATIVE": Text("亲属", "Relative"),
    "KEY_HOLDER": Text("持钥匙人", "Key-holder"),
}
CHANNELS: dict[str, Text] = {}
"""The channels a person may be reached on, by code: registered when the program starts by the room that has them."""
PURPOSES: Mapping[str, Text] = {
    "METER_WATCH": Text("用水异常关注", "Watching the water meter"),
    "SHARE_WITH_RELATIVE": Text("异常时告知亲属", "Telling a relative of an alert"),
    "HEALTH_NOTE": Text("记录健康情况供施救参考", "Keeping a health note for rescuers"),
    "REQUEST_ANSWER": Text("就本人反映的事联系本人", "Telling the person about the own request"),
}
ACCESSES: Mapping[str, Text] = {
    "REVEAL": Text("查看完整信息", "Saw full details"),
    "EXPORT": Text("导出名单", "Exported a list"),
    "IMPORT": Text("导入名单", "Imported a list"),
    "CHANGE": Text("修改姓名或电话", "Changed name or phone"),
    "PHOTO": Text("查看现场照片", "Saw a photo"),
    "WATCH": Text("查看水域画面", "Watched a water"),
    "SIGN_IN": Text("登录", "Signed in"),
    "SIGN_IN_FAILED": Text("登录失败", "Failed to sign in"),
    "SIGN_OUT": Text("退出", "Signed out"),
}
LOGGED: Mapping[str, Text] = {
    "account": Text("账号", "Account"), "person": Text("人员", "Person"), "household": Text("住户", "Household"),
    "case": Text("事件", "Case"), "camera": Text("摄像机", "Camera"),
}
OBJECT_KINDS = ("AREA", "SITE", "ORGANISATION", "CASE", "SELF")
LANGUAGES = ("zh", "en")


def register_channels(names: Mapping[str, Text]) -> None:
    """Make these channels known."""
    CHANNELS.update(names)


NOT_ASKED = ("DEAF", "DEMENTIA")
"""The facts with which a person is not asked by telephone or message: somebody goes at once."""


@dataclass(frozen=True)
class FactKind:
    """A kind of dated fact; a sensitive one (PIPL art. 28) shows only to whoever gives a reason."""

    title: Text
    sensitive: bool


FACTS: Mapping[str, FactKind] = {
    "LIVES_ALONE": FactKind(Text("独居", "Lives alone"), sensitive=True),
    "SUPPORTED_AT_HOME": FactKind(Text("分散供养特困", "Supported at home"), sensitive=True),
    "HEALTH": FactKind(Text("健康情况", "Health"), sensitive=True),
    "DISABILITY": FactKind(Text("残疾情况", "Disability"), sensitive=True),
    "USUAL_HOSPITAL": FactKind(Text("常去医院", "Usual hospital"), sensitive=True),
    "DEAF": FactKind(Text("听力障碍，不打电话", "Deaf: not to be telephoned"), sensitive=True),
    "DEMENTIA": FactKind(Text("失智，不打电话", "Dementia: not to be telephoned"), sensitive=True),
    "DIALECT": FactKind(Text("语言习惯", "Spoken language"), sensitive=False),
    "REMARK": FactKind(Text("备注", "Remark"), sensitive=False),
}
