"""What a channel can do, in plain words for whoever sets it up. Pure."""

from __future__ import annotations

from shouwang.kernel.texts import Text
from shouwang.notify.rules.delivery import Traits
from shouwang.notify.rules.rates import Rate

RINGS = Text("会响铃", "Rings")
SILENT = Text("静默", "Silent")
RECEIPT = Text("有送达回执", "Reports the delivery")
NO_RECEIPT = Text("无送达回执", "No receipt")
KEY = Text("不会重复送达", "Never delivers twice")
ASKED = Text("不确定时先查询再重发", "Is asked before anything is sent again")
NEVER_AGAIN = Text("不确定时不重发", "Is not sent again when uncertain")
PER = {
    "robot": Text("每个机器人", "per robot"), "address": Text("每个地址", "per address"), "channel": Text("全渠道", "for the whole channel"),
}


def abilities(traits: Traits, rate: Rate | None, *, rings: bool) -> list[Text]:
    """Return what a channel can do, one short phrase each."""
    again = KEY if traits.honours_key else ASKED if traits.can_query else NEVER_AGAIN
    found = [RINGS if rings else SILENT, RECEIPT if traits.gives_receipt else NO_RECEIPT, again]
    if rate is not None:
        per, seconds = PER[rate.per], f"{rate.seconds:g}"
        found.append(Text(
            f"{per.zh}每 {seconds} 秒最多 {rate.messages} 条", f"At most {rate.messages} in {seconds} s {per.en}",
        ))
    return found
