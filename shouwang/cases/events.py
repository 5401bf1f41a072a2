"""What the room of cases publishes: kinds of events, as they stand in the log for ever.

What makes a case go on (opened, step_done, dispatched, reopened) carries its `offers`:
{task id: [step, rung, person id]}, what was offered to whom in the same breath.
"""

OPENED = "case.opened"
DISPATCHED = "case.dispatched"
ACCEPTED = "case.task_accepted"
ARRIVED = "case.arrived"
STEP_DONE = "case.step_done"
ESCALATED = "case.escalated"
UNREACHED = "case.unreached"
REMINDED = "case.reminded"
OVERDUE = "case.task_overdue"
CLOCK_PASSED = "case.clock_passed"
GAP_FOUND = "case.coverage_gap"
HANDED_OVER = "case.handed_over"
SUSPENDED = "case.suspended"
RESUMED = "case.resumed"
EXTENDED = "case.extended"
CORRECTION_ASKED = "case.correction_asked"
COMPLETED = "case.completed"
CLOSED = "case.closed"
REOPENED = "case.reopened"
WITHDRAWN = "case.withdrawn"
MERGED = "case.merged"
NOTED = "case.noted"
FALSE_ALARM = "case.false_alarm"
