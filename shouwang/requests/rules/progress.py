"""The state of a request, folded from its case, and its chain in plain words for whoever reported it. Pure.

No officer's name is told, only the duty: the page is opened by a link that may be passed on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from shouwang.cases.rules.procedures import Procedure
from shouwang.kernel.texts import Text
from shouwang.people.rules.codes import DUTIES

State = Literal["WAITING", "HANDLING", "SUSPENDED", "TO_ANSWER", "CLOSED", "WITHDRAWN"]
STATES: Mapping[str, Text] = {
    "WAITING": Text("等待接手", "Waiting to be taken up"),
    "HANDLING": Text("办理中", "Being handled"),
    "SUSPENDED": Text("暂停办理", "Suspended"),
    "TO_ANSWER": Text("已办结，待反映人确认", "Done, waiting for the reporter"),
    "CLOSED": Text("已结束", "Closed"),
    "WITHDRAWN": Text("已撤回", "Withdrawn"),
}
ANSWERS: Mapping[str, Text] = {
    "SOLVED": Text("反映人确认已解决", "The reporter says it is solved"),
    "NOT_SOLVED": Text("反映人说没有解决", "The reporter says it is not solved"),
    "NO_ANSWER": Text("反映人没有答复", "The reporter did not answer"),
}
RECEIVED = Text("已收到您的反映", "Your report was received")
JOINED = Text("您的反映已并入同一件事", "Your report was added to the same matter")
SAID: Mapping[str, Text] = {
    "case.task_accepted": Text("已有人接手", "Somebody has taken it up"),
    "case.arrived": Text("已到现场", "Somebody is on site"),
    "case.escalated": Text("转给上一级：{duty}", "Passed to the level above: {duty}"),
    "case.handed_over": Text("转由其他人员办理", "Handed over to somebody else"),
    "case.suspended": Text("暂停办理", "Suspended"),
    "case.resumed": Text("恢复办理", "Resumed"),
    "case.extended": Text("延长了办理时间", "More time was given"),
    "case.completed": Text("已办结：{result}", "Done: {result}"),
    "case.merged": Text("并入同一件事一起办理", "Handled together with the same matter"),
    "case.split_off": Text("单独办理", "Handled by itself"),
    "case.withdrawn": Text("已撤回", "Withdrawn"),
    "case.false_alarm": Text("经核实不需要办理", "It was found that nothing needs to be done"),
}
OFFERED = Text("已交给{duty}", "Given to: {duty}")
REOPENED = Text("重新办理", "Taken up again")
NOT_SOLVED = Text("您说没有解决，已交上一级重新办理", "You said it is not solved; the level above takes it up again")
CLOSED: Mapping[str, Text] = {
    "SOLVED": Text("您确认已解决，谢谢", "You said it is solved. Thank you"),
    "NO_ANSWER": Text("没有收到您的答复，已结束；仍未解决可在下面告诉我们", "No answer came, so it was closed; if it is not solved, say so below"),
    "": Text("已结束", "Closed"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the chain."""

    at: datetime
    text: Text
    params: Mapping[str, Text]

    def render(self, language: str) -> str:
        """Return the line in `language`."""
        return self.text.render(language, {name: value.render(language, {}) for name, value in self.params.items()})


@dataclass(frozen=True, slots=True)
class Happened:
    """One event of a case, as the log has it."""

    kind: str
    at: datetime
    payload: Mapping[str, Any]


def state_of(case_state: str, task_state: str | None) -> State:
    """Return the state of a request from its case and the case's open or last task."""
    if case_state == "OPEN":
        if task_state == "SUSPENDED":
            return "SUSPENDED"
        return "HANDLING" if task_state in {"ACCEPTED", "ARRIVED"} else "WAITING"
    return "TO_ANSWER" if case_state == "COMPLETED" else "WITHDRAWN" if case_state == "WITHDRAWN" else "CLOSED"


def chain(said_at: datetime, events: Iterable[Happened], procedure: Procedure, *, joined: bool = False) -> list[Line]:
    """Return what has happened to a request since its reporter told it, oldest first; what came before a joined report is left out."""
    lines = [Line(said_at, JOINED if joined else RECEIVED, {})]
    step_of: dict[str, str] = {}
    for event in events:
        offers = event.payload.get("offers", {})
        step_of |= {task: offer[0] for task, offer in offers.items()}
        if joined and event.at < said_at:
            continue
        lines += _said(event, procedure, step_of.get(str(event.payload.get("task")), ""))
        lines += [Line(event.at, OFFERED, {"duty": _duty(procedure, step, rung)}) for step, rung, _ in offers.values()]
    return lines


def _said(event: Happened, procedure: Procedure, step: str) -> list[Line]:
    payload = event.payload
    if event.kind == "case.reopened":
        return [Line(event.at, NOT_SOLVED if payload.get("reason") == "NOT_SOLVED" else REOPENED, {})]
    if event.kind == "case.closed":  # a merged or false one has been told of already, and has no `by`
        return [Line(event.at, CLOSED.get(payload.get("result", ""), CLOSED[""]), {})] if "by" in payload else []
    if event.kind not in SAID:
        return []
    params = {}
    if "result" in payload:
        params["result"] = _result(procedure, payload["result"])
    if "rung" in payload:
        params["duty"] = _duty(procedure, step, payload["rung"])
    return [Line(event.at, SAID[event.kind], params)]


def _result(procedure: Procedure, code: str) -> Text:
    titles = {result.code: result.title for step in procedure.steps for result in step.results}
    return Text(titles[code].zh, titles[code].en) if code in titles else Text(code, code)


def _duty(procedure: Procedure, step: str, rung: int) -> Text:
    rungs = next((each.rungs for each in procedure.steps if each.code == step), procedure.steps[0].rungs)
    return DUTIES[rungs[min(rung, len(rungs) - 1)].duty]
