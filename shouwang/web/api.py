"""What the shared screens serve to programs beside the rooms' routers: the live stream, which `config.gateway` answers."""

from __future__ import annotations

from typing import Any

SCHEMES: dict[str, Any] = {
    "Session": {"type": "apiKey", "in": "cookie", "name": "sessionid", "description": "A person who has signed in.", "x-zh": {"description": "已登录人员的会话"}},
}
ELSEWHERE: dict[str, Any] = {
    "/stream/": {"get": {
        "operationId": "stream", "tags": ["web"], "summary": "Listen to cases", "x-right": "stream.read",
        "description": "Server-sent events of the cases in the reader's areas. Each has an id; send the last one again to go on from there.",
        "x-zh": {"summary": "事件实时流", "description": "以服务器推送事件给出读者管辖地区内事件的变化，每条有编号；断线后带上最后编号即可续传。"},
        "security": [{"Session": []}],
        "parameters": [{
            "name": "Last-Event-ID", "in": "header", "required": False, "schema": {"type": "integer"},
            "description": "The number of the last event that was heard.", "x-zh": {"description": "已收到的最后一条的编号"},
        }],
        "responses": {
            "200": {
                "description": "Events as long as the connection lasts.", "x-zh": {"description": "连接期间持续推送"},
                "content": {"text/event-stream": {
                    "schema": {"type": "string"},
                    "example": 'id: 812\ndata: {"topic":"case","id":31,"kind":"case.opened","at":"2026-01-15T02:00:00+00:00"}\n\n',
                }},
            },
            "401": {"$ref": "#/components/responses/401"},
        },
    }},
}
