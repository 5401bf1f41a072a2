"""What cannot be done in the notify room, and what to do instead."""

from __future__ import annotations

from shouwang.kernel.errors import ShouwangError
from shouwang.kernel.texts import Text


class NotifyError(ShouwangError):
    """The root of this room's errors."""


class QuietHoursInvalid(NotifyError):
    """Quiet hours need a beginning and a different end."""

    zh = "勿扰时段“{start}–{end}”不完整；请同时填写不同的起止时间，如 22:00 和 07:00，或都留空。"
    en = "The quiet hours “{start}–{end}” are incomplete; give a beginning and a different end, such as 22:00 and 07:00, or neither."
    status = 422


class AddressInvalid(NotifyError):
    """A person's address on a channel is not what it should be."""

    zh = "{channel}的地址“{found}”格式不对；应填写{expected}。"
    en = "The address “{found}” for {channel} is malformed; expected: {expected}."
    status = 422


class RobotInvalid(NotifyError):
    """A robot's address cannot be called."""

    zh = "机器人地址不可用（{reason}）；请粘贴群设置里给出的完整 https 地址。"
    en = "The robot's address cannot be used ({reason}); paste the whole https address from the group's settings."
    status = 422


class AudioInvalid(NotifyError):
    """A sound is not what loudspeakers can be given."""

    zh = "声音文件不可用（{found}）；应为 16 位、单声道或立体声、4–96 kHz 的 WAV。"
    en = "The sound cannot be used ({found}); expected a WAV of 16 bit, mono or stereo, 4 to 96 kHz."
    status = 422


class SpeakerInvalid(NotifyError):
    """What was given of a loudspeaker cannot be kept."""

    zh = "喇叭“{code}”的{field}不可用：填写的是“{found}”，应为{expected}。"
    en = "The {field} of loudspeaker “{code}” cannot be used: found “{found}”, expected {expected}."
    status = 422

    def text(self, language: str) -> str:
        """Return the message in `language`; what is a Text speaks it too."""
        said = {name: value.render(language, {}) if isinstance(value, Text) else value for name, value in self.params.items()}
        return (self.en if language.startswith("en") else self.zh).format(**said)


class SoundInvalid(NotifyError):
    """A sound cannot be queued."""

    zh = "声音 {key} 的{field}不可用：{found}；应为{expected}。"
    en = "The {field} of sound {key} cannot be used: {found}; expected {expected}."
    status = 422
