"""The shipped catalogue: what people may report or ask for, as data (Open311: services). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from shouwang.cases.rules.procedures import Phrase
from shouwang.kernel.errors import NotFound
from shouwang.kernel.severity import Severity

REASON = "REQUEST_"
"""What the reason code of a request's case begins with; the service's code follows."""


class Service(msgspec.Struct, frozen=True):
    """One kind of request. Two reports are of the same matter within `within_m` metres and `within_days` days.

    An unlisted one is never shown to other residents: it concerns a person, not a place.
    """

    code: str
    title: Phrase
    severity: Severity
    keywords: tuple[str, ...] = ()
    within_m: int = 100
    within_days: int = 14
    is_listed: bool = True


SERVICES = (
    Service(
        "ROAD", Phrase("道路、井盖损坏", "Damaged road or manhole"), Severity.YELLOW, ("路面", "道路", "坑", "井盖", "塌陷", "护栏", "桥"),
    ),
    Service("LIGHT", Phrase("路灯、照明", "Street light"), Severity.BLUE, ("路灯", "不亮", "照明"), within_m=60, within_days=30),
    Service(
        "WASTE", Phrase("垃圾、污水", "Rubbish or sewage"), Severity.BLUE, ("垃圾", "污水", "下水道", "堵塞", "臭", "粪"), within_days=7,
    ),
    Service(
        "UTILITIES", Phrase("停水、停电、停气、供暖", "Water, power, gas or heating"), Severity.YELLOW,
        ("停水", "停电", "没水", "没电", "水管", "漏水", "供暖", "暖气", "燃气"), within_m=1_000, within_days=3,
    ),
    Service(
        "DANGER", Phrase("安全隐患", "Danger"), Severity.ORANGE,
        ("隐患", "危险", "危房", "电线", "漏气", "消防", "坑塘", "野泳", "倒塌", "着火"), within_m=100, within_days=7,
    ),
    Service(
        "NUISANCE", Phrase("噪音、油烟、焚烧", "Noise, fumes or burning"), Severity.BLUE, ("噪音", "扰民", "油烟", "焚烧", "烧秸秆", "异味"),
        within_m=200, within_days=3,
    ),
    Service(
        "HELP", Phrase("有人需要帮助", "Somebody needs help"), Severity.ORANGE,
        ("老人", "独居", "困难", "救助", "走失", "病", "没饭", "照顾"), within_m=50, within_days=3, is_listed=False,
    ),
    Service(
        "DISPUTE", Phrase("邻里、土地纠纷", "Dispute"), Severity.YELLOW, ("纠纷", "吵架", "宅基地", "占地", "边界", "欠薪", "拖欠"),
        within_m=50, within_days=7, is_listed=False,
    ),
    Service(
        "QUESTION", Phrase("政策咨询、办事", "Question about a policy or service"), Severity.BLUE,
        ("咨询", "怎么办理", "政策", "补贴", "低保", "医保", "养老金", "户口"), within_m=0, within_days=0, is_listed=False,
    ),
    Service("OTHER", Phrase("其他", "Something else"), Severity.BLUE, within_m=50, within_days=3, is_listed=False),
)
OTHER = "OTHER"
_BY_CODE: Mapping[str, Service] = {service.code: service for service in SERVICES}


def service_of(code: str) -> Service:
    """Return the service `code`. Raises NotFound."""
    if code not in _BY_CODE:
        raise NotFound(what=f"诉求类别 {code[:20]}")
    return _BY_CODE[code]


def is_service(code: str) -> bool:
    """Return whether there is a service `code`."""
    return code in _BY_CODE


def guess(texts: Iterable[str], *, services: Iterable[Service] = SERVICES) -> str:
    """Return the code of the service that is named, or most of whose keywords stand, in `texts`; OTHER where none does.

    Of several with as many the graver one: it is cheaper to go once too often.
    """
    said = " ".join(texts)
    best, most = OTHER, 0.0
    for service in services:
        found = 100.0 if said.strip() in {service.title.zh, service.title.en, service.code} else float(sum(word in said for word in service.keywords))
        weight = found + service.severity / 10 if found else 0.0
        if weight > most:
            best, most = service.code, weight
    return best
