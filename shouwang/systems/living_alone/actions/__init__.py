"""Writes of the living-alone system: enrol, announce an absence, import a list, publish what is shipped."""

from __future__ import annotations

from shouwang.systems.living_alone.actions.absence import announce_absence, take_word
from shouwang.systems.living_alone.actions.enrolling import Enrolled, end_watching, enrol, enrol_home, set_hospital
from shouwang.systems.living_alone.actions.importing import Checked, Tally, check_upload, import_portion
from shouwang.systems.living_alone.actions.labelling import label_case
from shouwang.systems.living_alone.actions.publishing import publish_shipped, watch_meters
from shouwang.systems.living_alone.actions.switching import may_switch, switch_rule
from shouwang.systems.living_alone.actions.trials import accept_trial, ask_trial, go_on_with_trials
from shouwang.systems.living_alone.actions.uploads import learn_uploads, set_upload

__all__ = [
    "Checked", "Enrolled", "Tally", "accept_trial", "announce_absence", "ask_trial", "check_upload", "end_watching", "enrol", "enrol_home",
    "go_on_with_trials", "import_portion", "label_case", "learn_uploads", "may_switch", "publish_shipped", "set_hospital", "set_upload", "switch_rule", "take_word",
    "watch_meters",
]
