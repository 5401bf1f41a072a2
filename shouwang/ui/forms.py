"""Forms in the reader's language. They check shapes only; what may be done is the actions' business."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms

from shouwang.kernel.texts import Text

REQUIRED = Text("请填写", "Please fill this in")
INVALID = Text("请核对填写的内容", "Please check this value")


class Form(forms.Form):
    """A form in the reader's language: `titles`, `hints` and `options` hold its words."""

    titles: ClassVar[Mapping[str, Text]] = {}
    hints: ClassVar[Mapping[str, Text]] = {}
    options: ClassVar[Mapping[str, Mapping[str, Text]]] = {}

    def __init__(self, data: Any = None, *, language: str) -> None:
        super().__init__(data)
        self.spoken = language
        for name, field in self.fields.items():
            field.label = self.say(self.titles[name])
            field.help_text = self.say(self.hints[name]) if name in self.hints else ""
            field.error_messages.update(required=self.say(REQUIRED), invalid=self.say(INVALID), invalid_choice=self.say(INVALID))
            if isinstance(field, forms.ChoiceField) and name in self.options:
                field.choices = [(code, self.say(text)) for code, text in self.options[name].items()]

    def say(self, text: Text) -> str:
        """Return `text` in the reader's language."""
        return text.render(self.spoken, {})
