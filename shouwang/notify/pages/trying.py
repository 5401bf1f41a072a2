"""A test message by saved settings, and what came of it in plain words."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings as site
from django.contrib import messages
from django.http import HttpRequest

from shouwang.journal.clock import clock
from shouwang.kernel.texts import Text
from shouwang.notify import actions, queries, registry
from shouwang.notify.contract import Delivered, Manifest, Mention, Outcome, Outgoing, Rejected, Retry, Robot, Sent, Unknown
from shouwang.notify.outside import client
from shouwang.notify.rules import render
from shouwang.notify.rules.rates import Target
from shouwang.notify.rules.reasons import reason_words
from shouwang.notify.rules.texts import TEST
from shouwang.ui.reader import reader

WENT = Text("测试消息已被接收。", "The test message was accepted.")
FAILED = Text("测试消息没有发出：{reason}。", "The test message did not go: {reason}.")
UNCERTAIN = Text("不确定测试消息是否发出：{reason}。", "It is not certain that the test message went: {reason}.")


def try_out(
    request: HttpRequest, manifest: Manifest, settings: Mapping[str, Any], *, address: str = "", robot: Robot | None = None,
) -> None:
    """Send a test message and tell the reader what came of it. It takes a turn of the rate as every other message does."""
    language, now = reader(request).language, clock().now()
    channel = registry.make(manifest.code, settings, allowed=site.SHOUWANG_WEBHOOK_ALLOW)
    outgoing = _message(manifest, address, robot, language, now)
    outcome: Outcome = Rejected("NO_ADDRESS")
    if address or not manifest.needs_address:
        outcome = _taken(manifest, outgoing, now)
        if isinstance(outcome, Sent):
            with client() as http:
                outcome = channel.send(outgoing, http=http)
    _tell(request, outcome, manifest, language)


def _message(manifest: Manifest, address: str, robot: Robot | None, language: str, now: datetime) -> Outgoing:
    is_number = address.isascii() and address.isdigit()
    mentions = (Mention("" if is_number else address, address if is_number else ""),) if manifest.is_shared and address else ()
    key = f"test:{secrets.token_hex(8)}"
    return Outgoing(
        key, address, TEST, {}, render(TEST, {}, language=language), language, 1, 1, now, robot=robot, mentions=mentions,
    )


def _taken(manifest: Manifest, outgoing: Outgoing, now: datetime) -> Outcome:
    """Return Sent where there is a turn, which is then taken."""
    if manifest.rate is None:
        return Sent()
    counted = {"robot": outgoing.robot.url if outgoing.robot else "", "address": outgoing.address, "channel": ""}[manifest.rate.per]
    key = queries.fingerprint(counted) if counted else ""
    try:
        free_at = actions.take_turn(Target(manifest.code, key, manifest.rate, manifest.is_shared), now=now, pace=clock_pace())
    except actions.TurnTaken:
        return Retry(1.0, "NO_TURN")
    return Sent() if free_at is None else Retry(1.0, "NO_TURN")


def clock_pace() -> float:
    """Return how many seconds of the clock pass in a real one."""
    return float(getattr(clock(), "speed", 1.0))


def _tell(request: HttpRequest, outcome: Outcome, manifest: Manifest, language: str) -> None:
    match outcome:
        case Sent() | Delivered():
            messages.success(request, WENT.render(language, {}))
        case Unknown(reason):
            messages.error(request, UNCERTAIN.render(language, {"reason": reason_words(reason, manifest.reasons, language=language)}))
        case Rejected(reason) | Retry(_, reason):
            messages.error(request, FAILED.render(language, {"reason": reason_words(reason, manifest.reasons, language=language)}))
        case _:
            messages.error(request, FAILED.render(language, {"reason": reason_words("MISSING", {}, language=language)}))
