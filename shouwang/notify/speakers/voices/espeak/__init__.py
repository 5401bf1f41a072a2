"""espeak-ng, a program of the machine (GPL, called as it is, never part of this one): robotic, but clear and there in 0.2 s.

The text is one argument after `--`, never a line for a shell, and the program has a few seconds.
"""

from __future__ import annotations

import logging
import shutil
import subprocess
from dataclasses import dataclass

from shouwang.notify.rules.audio import levelled, read_wav, trimmed
from shouwang.notify.rules.errors import AudioInvalid
from shouwang.notify.rules.g711 import Samples

TIMEOUT_S = 2.0
TEXT_MOST = 120
WORDS_A_MINUTE = 175
LANGUAGE = "cmn-latn-pinyin"  # under "cmn" 1.51 reads the pinyin of most characters as English words
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Espeak:
    """The program at `path`."""

    path: str
    timeout_s: float = TIMEOUT_S

    def speak(self, text: str) -> Samples | None:
        """Return `text` spoken in Chinese, trimmed and levelled; None when the program failed or took too long."""
        words = " ".join("".join(each if each.isprintable() else " " for each in text).split())[:TEXT_MOST]
        if not words:
            return None
        command = [self.path, "-v", LANGUAGE, "-s", str(WORDS_A_MINUTE), "--stdout", "--", words]
        try:
            done = subprocess.run(command, capture_output=True, timeout=self.timeout_s, check=True, stdin=subprocess.DEVNULL)  # noqa: S603 - a list of arguments, no shell
            found = levelled(trimmed(read_wav(done.stdout)))
        except (OSError, subprocess.SubprocessError, AudioInvalid) as error:
            _log.warning("espeak-ng met %s; the recorded prompt is played instead", type(error).__name__)
            return None
        return found if len(found) else None


def make() -> Espeak | None:
    """Return the program where the machine has it."""
    path = shutil.which("espeak-ng")
    return Espeak(path) if path else None
