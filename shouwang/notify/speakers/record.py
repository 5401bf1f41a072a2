"""Makes the recorded prompts of the package anew: `python -m shouwang.notify.speakers.record`. Needs a voice, such as espeak-ng.

Each prompt is kept as a WAV and as raw A-law and mu-law, which may be given to a device by hand.
"""

from __future__ import annotations

import sys
from pathlib import Path

from shouwang.notify.rules.audio import levelled, loudness_of, seconds_of, tone, trimmed, write_wav
from shouwang.notify.rules.g711 import Samples, to_alaw, to_ulaw
from shouwang.notify.rules.prompts import PROMPTS, TEST_TONE
from shouwang.notify.speaking.contract import Voice
from shouwang.notify.speaking.recorded import FOLDER
from shouwang.notify.speaking.registry import voice

TONE_HZ = 880.0
TONE_S = 0.5
TONE_SHARE = 0.1


def record(folder: Path, *, voice: Voice) -> dict[str, Samples]:
    """Write every prompt into `folder` and return the samples by code. Raises RuntimeError for one that the voice cannot say."""
    made = {}
    for code, words in PROMPTS.items():
        spoken = tone(TONE_HZ, TONE_S, share=TONE_SHARE) if code == TEST_TONE else voice.speak(words.zh)
        if spoken is None:
            raise RuntimeError(f"The voice could not say the prompt {code}; try its program by hand, then again.")
        made[code] = spoken if code == TEST_TONE else levelled(trimmed(spoken))
        (folder / f"{code}.wav").write_bytes(write_wav(made[code]))
        (folder / f"{code}.alaw").write_bytes(to_alaw(made[code]))
        (folder / f"{code}.ulaw").write_bytes(to_ulaw(made[code]))
    return made


def main() -> int:
    """Record into the package and say how long and how loud each prompt is."""
    found = voice()
    if found is None:
        sys.stderr.write("There is no voice on this machine; install espeak-ng, then run this again.\n")
        return 1
    for code, samples in record(FOLDER, voice=found).items():
        sys.stdout.write(f"{code}: {seconds_of(samples):.2f} s, loudness {loudness_of(samples):.3f}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
