"""Pure rules of files: where content lies, how sensitive it is, and what is refused."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from pathlib import PurePosixPath

from shouwang.kernel.errors import ShouwangError


class Sensitivity(StrEnum):
    """How closely a file is kept, loosest first; SEALED originals are shown through derived copies only."""

    PUBLIC = "PUBLIC"
    INTERNAL = "INTERNAL"
    PERSONAL = "PERSONAL"
    SEALED = "SEALED"


class FileTooLarge(ShouwangError):
    """A file passes its limit of size."""

    zh = "文件超过 {limit} 字节的上限；请压缩或分开后再上传。"
    en = "The file passes the limit of {limit} bytes; make it smaller or split it."
    status = 413


class FileEmpty(ShouwangError):
    """A file holds nothing."""

    zh = "文件是空的；请选择有内容的文件。"
    en = "The file is empty; choose one with content."
    status = 422


class FileMissing(ShouwangError):
    """A form was sent without the file it asks for."""

    zh = "没有选择文件；请选择一个文件再提交。"
    en = "No file was chosen; choose one and submit again."
    status = 422


class PictureUnreadable(ShouwangError):
    """A photo is no picture this system reads."""

    zh = "照片无法读取；请使用 JPEG、PNG 或 WebP 格式重拍或重选。"
    en = "The photo cannot be read; take or choose one in JPEG, PNG or WebP."
    status = 422


class PictureTooLarge(ShouwangError):
    """A photo has more pixels than can be read safely."""

    zh = "照片有 {found} 像素，最多 {most}；请调低相机分辨率后重拍。"
    en = "The photo has {found} pixels, at most {most} are read; lower the camera's resolution and take it again."
    status = 413


class FileLost(ShouwangError):
    """The table names a file whose content is gone from the disk, or changed."""

    zh = "文件 {file} 的内容丢失或已改变（应为 {sha256}）；请从备份恢复。"
    en = "The content of file {file} is missing or changed (expected {sha256}); restore it from the backup."
    status = 500


def check_size(size: int, limit_bytes: int) -> None:
    """Raise FileEmpty for nothing, FileTooLarge past the limit."""
    if size == 0:
        raise FileEmpty
    if size > limit_bytes:
        raise FileTooLarge(limit=limit_bytes)


def shard(sha256: str) -> PurePosixPath:
    """Return where content lies below the files folder: "ab/cd/abcd…"."""
    return PurePosixPath(sha256[:2], sha256[2:4], sha256)


def stricter(one: str, other: str) -> Sensitivity:
    """Return the stricter of two sensitivities."""
    order = list(Sensitivity)
    return max(Sensitivity(one), Sensitivity(other), key=order.index)


def later(one: datetime | None, other: datetime | None) -> datetime | None:
    """Return the later of two retention moments; None keeps for ever and wins."""
    return None if one is None or other is None else max(one, other)
