"""Sound: G.711 against the standard's own values, WAV, trimming, levelling, the recorded prompts, and a voice."""

from __future__ import annotations

import io
import shutil
import subprocess
import wave
from pathlib import Path

import numpy as np
import pytest

from shouwang.notify.rules.audio import (
    RATE_HZ,
    at_loudness,
    levelled,
    loudness_of,
    read_wav,
    resampled,
    seconds_of,
    tone,
    trimmed,
    write_wav,
)
from shouwang.notify.rules.errors import AudioInvalid
from shouwang.notify.rules.g711 import Samples, from_alaw, from_ulaw, to_alaw, to_ulaw
from shouwang.notify.rules.prompts import PROMPTS, TEST_TONE
from shouwang.notify.speakers import record
from shouwang.notify.speakers.voices.espeak import LANGUAGE, Espeak
from shouwang.notify.speaking.recorded import FOLDER, recorded

EVERY = np.arange(-32_768, 32_768)


def samples(*values: int) -> Samples:
    return np.array(values, np.int16)


# ITU-T G.711 table 1a, in 13 bits: the value number's decision values, and the character signal with even bits inverted.
ALAW = [
    (0, 0b1101_0101), (2, 0b1101_0100), (31 * 2, 0b1100_1010), (64, 0b1111_0101), (128, 0b1110_0101), (256, 0b1001_0101),
    (512, 0b1000_0101), (1024, 0b1011_0101), (2048, 0b1010_0101), (4095, 0b1010_1010),
]


@pytest.mark.parametrize(("value", "code"), ALAW)
def test_alaw_is_as_the_table_of_the_standard_says(value: int, code: int) -> None:
    assert code == to_alaw(samples(value * 8))[0]
    assert code ^ 0x80 == to_alaw(samples(-value * 8 - 1))[0]


# ITU-T G.711 table 2a, in 14 bits: decision values, and the character signal.
ULAW = [
    (0, 0b1111_1111), (1, 0b1111_1110), (31, 0b1110_1111), (95, 0b1101_1111), (223, 0b1100_1111), (479, 0b1011_1111),
    (991, 0b1010_1111), (2015, 0b1001_1111), (4063, 0b1000_1111), (8158, 0b1000_0000),
]


@pytest.mark.parametrize(("value", "code"), ULAW)
def test_ulaw_is_as_the_table_of_the_standard_says(value: int, code: int) -> None:
    assert code == to_ulaw(samples(value * 4))[0]
    assert code == to_ulaw(samples(min(value * 4, 32_767)))[0]


@pytest.mark.parametrize(("encode", "decode", "worst"), [(to_alaw, from_alaw, 512), (to_ulaw, from_ulaw, 644)])
def test_every_sample_comes_back_near_and_every_code_as_it_was(encode, decode, worst: int) -> None:
    back = decode(encode(EVERY.astype(np.int16))).astype(int)
    assert np.abs(back - EVERY).max() <= worst  # half the widest step; the outermost are cut
    assert (np.diff(back) >= 0).all()
    small = np.abs(EVERY) < 256
    assert np.abs(back - EVERY)[small].max() <= 8
    codes = bytes(range(256))
    assert decode(codes).tolist() == decode(encode(decode(codes))).tolist()


def test_a_wav_is_read_as_it_was_written() -> None:
    sound = tone(440, 0.25, share=0.5)
    assert sound.tolist() == read_wav(write_wav(sound)).tolist()


def test_a_wav_of_another_rate_is_brought_to_8_khz_without_what_lies_above() -> None:
    at_s = np.arange(22_050) / 22_050
    low, high = np.sin(2 * np.pi * 1_000 * at_s) * 10_000, np.sin(2 * np.pi * 6_000 * at_s) * 10_000
    kept = io.BytesIO()
    with wave.open(kept, "wb") as file:
        file.setparams((2, 2, 22_050, 0, "NONE", ""))
        file.writeframes(np.repeat((low + high).astype("<i2"), 2).tobytes())
    sound = read_wav(kept.getvalue())
    assert 1.0 == seconds_of(sound)
    expected = np.sin(2 * np.pi * 1_000 * np.arange(RATE_HZ) / RATE_HZ) * 10_000
    assert np.abs(sound - expected)[100:-100].max() < 200


@pytest.mark.parametrize("data", [b"", b"RIFF", b"RIFF\x00\x00\x00\x00WAVEfmt ", write_wav(samples(1))[:30]])
def test_what_is_no_wav_is_refused(data: bytes) -> None:
    with pytest.raises(AudioInvalid):
        read_wav(data)


def test_a_wav_that_breaks_off_gives_what_there_is() -> None:
    assert read_wav(write_wav(tone(440, 0.25, share=0.5))[:-3]).size > 1_000


def test_silence_is_trimmed_and_the_rest_levelled() -> None:
    quiet = np.zeros(4_000, np.int16)
    sound = np.concatenate([quiet, samples(*[3_000, -3_000] * 400), quiet])
    assert 800 + 2 * 240 == len(trimmed(sound))
    assert 29_490 == levelled(trimmed(sound)).max()
    assert (0, 0) == (len(trimmed(quiet)), levelled(quiet).max())


def test_loudness_is_a_share_of_the_amplitude() -> None:
    sound = tone(440, 0.5, share=0.8)
    assert abs(loudness_of(at_loudness(sound, 50)) / loudness_of(sound) - 0.5) < 0.01
    assert (0.0, 0.0) == (loudness_of(at_loudness(sound, 0)), loudness_of(samples()))
    assert sound is at_loudness(sound, 100)


def test_resampling_nothing_gives_nothing() -> None:
    assert 0 == len(resampled(np.zeros(1), 96_000))


@pytest.mark.parametrize("code", sorted(PROMPTS))
def test_each_prompt_is_recorded_in_three_forms(code: str) -> None:
    sound = recorded(code)
    assert to_alaw(sound) == (FOLDER / f"{code}.alaw").read_bytes()
    assert to_ulaw(sound) == (FOLDER / f"{code}.ulaw").read_bytes()
    if code == TEST_TONE:
        assert 0.5 == seconds_of(sound)
        assert loudness_of(sound) < 0.1
    else:
        assert 1.5 < seconds_of(sound) < 7.0  # the next of a ladder comes after 8 s
        assert loudness_of(sound) > 0.08


def test_the_prompts_are_small_and_there_are_no_others() -> None:
    files = [path for path in FOLDER.iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 1_000_000
    assert sorted(f"{code}{end}" for code in PROMPTS for end in (".wav", ".alaw", ".ulaw")) == sorted(path.name for path in files)
    with pytest.raises(KeyError):
        recorded("../record")


class Humming:
    def speak(self, text: str) -> Samples | None:
        return None if "儿童" in text else np.concatenate([np.zeros(800, np.int16), tone(200 + len(text), 1.0, share=0.2)])


def test_the_prompts_can_be_recorded_anew(tmp_path: Path) -> None:
    made = record.record(tmp_path, voice=Humming())
    assert set(PROMPTS) == set(made)
    assert made["WATER_EDGE"].tolist() == read_wav((tmp_path / "WATER_EDGE.wav").read_bytes()).tolist()
    assert 29_490 == made["WATER_EDGE"].max()


class Mute:
    def speak(self, text: str) -> Samples | None:
        return None


def test_a_prompt_that_cannot_be_said_is_named(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="WATER_EDGE"):
        record.record(tmp_path, voice=Mute())


def program(tmp_path: Path, script: str) -> str:
    """Return the path of a program that stands in for the voice."""
    path = tmp_path / "voice"
    path.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    path.chmod(0o755)
    return str(path)


def test_the_text_is_one_argument_behind_two_dashes(tmp_path: Path) -> None:
    (tmp_path / "said.wav").write_bytes(write_wav(tone(440, 1.0, share=0.5)))
    path = program(tmp_path, f'printf "%s\\n" "$@" > {tmp_path}/arguments; cat {tmp_path}/said.wav')
    assert Espeak(path).speak("--stdin; $(touch x)\n李家坝的小朋友") is not None
    assert ["--", "--stdin; $(touch x) 李家坝的小朋友"] == (tmp_path / "arguments").read_text("utf-8").splitlines()[-2:]


@pytest.mark.parametrize("script", ["exit 1", "echo no sound", "true", "exec sleep 30"])
def test_a_voice_that_fails_or_takes_too_long_says_nothing(tmp_path: Path, script: str) -> None:
    assert Espeak(program(tmp_path, script), timeout_s=0.2).speak("请离开") is None


def test_no_words_and_no_program_say_nothing(tmp_path: Path) -> None:
    assert Espeak(str(tmp_path / "none")).speak("请离开") is None
    assert Espeak(str(tmp_path / "none")).speak(" \n") is None


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="skipped: espeak-ng is not installed, so its reading of Chinese is not looked at")
@pytest.mark.parametrize("code", sorted(set(PROMPTS) - {TEST_TONE}))
def test_the_program_reads_chinese_as_chinese(code: str) -> None:
    """Under its plain Mandarin voice, version 1.51 reads the pinyin of most characters as English words."""
    command = ["espeak-ng", "-v", LANGUAGE, "-q", "-x", "--", PROMPTS[code].zh]
    assert "(en)" not in subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout
