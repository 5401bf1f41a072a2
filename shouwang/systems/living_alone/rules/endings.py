"""Why a home is no longer watched. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from shouwang.kernel.texts import Text

CONSENT = "CONSENT"
ENDINGS: Mapping[str, Text] = {
    "DEATH": Text("去世", "Died"), "MOVED": Text("迁出", "Moved away"), "INSTITUTION": Text("入住机构", "Moved into a home"),
    CONSENT: Text("同意已到期或撤回", "Consent ended or withdrawn"), "OTHER": Text("其他", "Other"),
}
