"""What is well and what is not, on this machine and in this installation: for the command and the page alike."""

from shouwang.web.doctor.checks import ERROR, OK, WARNING, Check, State
from shouwang.web.doctor.examine import examine

__all__ = ["ERROR", "OK", "WARNING", "Check", "State", "examine"]
