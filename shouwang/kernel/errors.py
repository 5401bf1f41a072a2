"""The root of every room's error tree. A message says which thing, what was found, what was expected, what to do."""

from __future__ import annotations


class ShouwangError(Exception):
    """Something asked of Shouwang cannot be done; the message says why and what to do.

    `code` names the message for translation, `params` fills it: rooms raise subclasses
    whose `zh` and `en` are templates over `params`.
    """

    zh = "{detail}"
    en = "{detail}"
    status = 400

    def __init__(self, **params: object) -> None:
        self.params = params
        super().__init__(self.text("zh"))

    @property
    def code(self) -> str:
        """Return the stable name of this error, for API clients."""
        return type(self).__name__

    def text(self, language: str) -> str:
        """Return the message in `language` ("zh" or "en")."""
        template = self.en if language.startswith("en") else self.zh
        return template.format(**self.params)


class NotFound(ShouwangError):
    """The thing does not exist or lies outside the reader's scope; both look alike on purpose."""

    zh = "没有找到{what}；请核对编号，或它不在您的管辖范围内。"
    en = "{what} was not found; check its number, or it lies outside your area."
    status = 404


class Refused(ShouwangError):
    """The principal may not do this."""

    zh = "您没有“{right}”的权限；请联系上级管理员授予。"
    en = "You lack the right {right}; ask an administrator above you to grant it."
    status = 403


class StorageFull(ShouwangError):
    """The disk is full, so nothing can be kept."""

    zh = "磁盘已满，没有保存；请腾出空间，系统随后自行恢复，届时请重新提交。"
    en = "The disk is full and nothing was saved; free some space, work then resumes by itself, and send this again."
    status = 507


class StorageAway(ShouwangError):
    """The database cannot be reached or written now."""

    zh = "数据库暂时无法写入，没有保存；请稍后重新提交。"
    en = "The database cannot be written now and nothing was saved; send this again shortly."
    status = 503


class NaiveMoment(ShouwangError):
    """A moment without a time zone was given where an aware one is required."""

    zh = "时间 {moment} 没有时区；请给出带时区的时间，例如 2026-01-01T08:00+08:00。"
    en = "The moment {moment} has no time zone; give one, for example 2026-01-01T08:00+08:00."
