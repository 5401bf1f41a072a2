"""Alerts from other systems: batches of at most 500, answered 200 only after the commit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from django.http import HttpRequest, HttpResponse
from ninja import Router

from shouwang.alerts.actions import Post, take_posts
from shouwang.alerts.rules import LARGEST_BATCH, FoundFinding
from shouwang.journal.clock import clock
from shouwang.kernel.group_commit import GroupCommit
from shouwang.kernel.moments import to_us
from shouwang.people.callers import IntegrationToken, caller
from shouwang.ui.answers import KEPT_OR_NOT, answer, body_of, described, described_field, read_body

RIGHT = "alerts.write"
GAP_S = 0.03
MAX_BODY_BYTES = 4 * 1024 * 1024
EXPECTED = '{"alerts": [{"kind", "subject_kind", "subject_id", "severity", "reason"}]}'
EXAMPLE = {"alerts": [{
    "kind": "WATER_HIGH_USE", "subject_kind": "datastream", "subject_id": 1, "severity": 2, "reason": "WATER_HIGH_USE_OPEN",
    "params": {"used_l": 1200.0, "window_h": 24, "limit_l": 1000},
}]}
router = Router(tags=["alerts"])


class Incoming(msgspec.Struct, forbid_unknown_fields=True):
    """One alert as another system sends it; the same kind and subject while open is the same alert."""

    kind: Annotated[str, described_field("预警种类", "The kind of alert")]
    subject_kind: Annotated[str, described_field("对象种类", "What kind of thing it is about")]
    subject_id: Annotated[int, described_field("对象编号", "Which one")]
    severity: Annotated[Literal[1, 2, 3, 4], described_field("级别，1 最低，4 最高", "From 1, minor, to 4, extreme")]
    reason: Annotated[str, described_field("原因代码", "The code of the reason")]
    params: Annotated[dict[str, Any], described_field("原因中的数值", "What the reason's words are filled with")] = {}


class Alerts(msgspec.Struct, forbid_unknown_fields=True):
    """What is posted: at most 500 alerts."""

    alerts: list[Incoming]


class AlertsTaken(msgspec.Struct):
    """How many were taken, and how many of them opened an alert; the rest belong to one that is open already."""

    accepted: int
    opened: int


def _take(posts: Sequence[Post]) -> list[list[int]]:
    return take_posts(posts, now=clock().now())


take = GroupCommit(_take, most=LARGEST_BATCH, size=lambda post: len(post.findings), gap_s=GAP_S)
_decoder = msgspec.json.Decoder(Alerts)


@router.post(
    "/alerts", auth=IntegrationToken(), url_name="alerts", summary="Post alerts",
    openapi_extra=described(
        zh="上报预警", zh_about="全部预警提交入库后才答 200；令牌管辖地区以外的对象视同不存在。", takes=Alerts, gives=AlertsTaken, example=EXAMPLE, right=RIGHT, failures=(401, 403, 404, 413, 422, *KEPT_OR_NOT),
    ),
)
def receive(request: HttpRequest) -> HttpResponse:
    """Answers 200 only after all alerts are committed. A subject outside the token's area is as one that does not exist."""
    scope, now_us = caller(request, RIGHT), to_us(clock().now())
    batch = read_body(_decoder, body_of(request, most=MAX_BODY_BYTES), expected=EXPECTED)
    findings = [
        FoundFinding(each.kind, each.subject_kind, each.subject_id, now_us, "OPEN", each.severity, now_us, each.reason, each.params)
        for each in batch.alerts
    ]
    opened = take(Post(findings, scope.paths_for(RIGHT)))
    return answer(AlertsTaken(len(findings), len(opened)))
