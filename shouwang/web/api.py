"""What the shared screens serve to programs beside the rooms' routers: the live stream, which `config.gateway` answers."""

from __future__ import annotations

from typing import Any

SCHEMES: dict[str, Any] = {
    "Session": {"type": "apiKey", "in": "cookie", "name": "sessionid", "description": "A person who has signed in.", "x-zh": {"description": "已登录人员的会话"}},
}
ELSEWHERE: dict[str, Any] = {
    "/stream/": {"get": {
        "operationId": "stream", "tags": ["web"], "summary": "Listen to cases and inboxes", "x-right": "stream.read",
        "description": (
            "Server-sent events of the cases in the listener's areas (topic case), and of what reaches the own inbox, or with a token that was "
            "issued for push.read the inboxes of people in its areas (topic push). Each has an id; send the last one again to go on from there."
        ),
        "x-zh": {"summary": "事件与消息实时流", "description": (
            "以服务器推送事件给出管辖地区内事件的变化（case），以及本人收件箱的新消息，或持有 push.read 令牌时其地区内人员收件箱的新消息（push）。"
            "每条有编号；断线后带上最后编号即可续传。"
        )},
        "security": [{"Session": []}, {"IntegrationToken": []}],
        "parameters": [{
            "name": "Last-Event-ID", "in": "header", "required": False, "schema": {"type": "string", "pattern": "^[0-9]+-[0-9]+$"},
            "description": "The id of the last event that was heard.", "x-zh": {"description": "已收到的最后一条的编号"},
        }],
        "responses": {
            "200": {
                "description": "Events as long as the connection lasts.", "x-zh": {"description": "连接期间持续推送"},
                "content": {"text/event-stream": {
                    "schema": {"type": "string"},
                    "example": 'id: 812-77\ndata: {"topic":"case","id":31,"kind":"case.opened","at":"2026-01-15T02:00:00+00:00"}\n\n',
                }},
            },
            **{status: {"$ref": f"#/components/responses/{status}"} for status in ("401", "403", "503")},
        },
    }},
}
