from __future__ import annotations

from typing import ClassVar

from shouwang.notify.contract import Delivered, Outcome
from tests.notify.channels.contract import ChannelContract


class TestInbox(ChannelContract):
    code: ClassVar[str] = "inbox"
    leaves: ClassVar[bool] = False
    good: ClassVar[type[Outcome]] = Delivered
