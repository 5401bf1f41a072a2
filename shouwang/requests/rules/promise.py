"""What an office calls its promise of service: a name of its own, which residents know it by. Pure."""

from __future__ import annotations

from shouwang.kernel.texts import Text
from shouwang.places.rules.settings import SettingSpec

NAME_LENGTH = 20
PROMISE = SettingSpec(
    "requests.promise_name", Text("服务承诺的名称", "Name of the service promise"), "TEXT", "",
    Text("如“接诉即办”，不超过 20 个字；显示在居民查进度的页面上，空着则只写“承诺办结”。", "Shown to residents who follow their request, at most 20 characters; without one the page just says “promised by”."),
)
