"""Pure words of telemetry: flags, partitions, the packed form of a batch, down-sampling, reasons for quarantine."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from shouwang.detectors.contract import Columns, Float64s, Int64s
from shouwang.kernel.errors import ShouwangError
from shouwang.kernel.moments import HOUR_US, MINUTE_US
from shouwang.kernel.texts import Text

PARTITIONS = 64
AREAS_TOGETHER = 64
FUTURE = 1
LATE = 2
FUTURE_AFTER_US = 5 * MINUTE_US
LATE_AFTER_US = HOUR_US
MAX_ROWS_PER_TRANSACTION = 2_000
ROW_BYTES = 25
MAX_SERIES_DAYS = 400
EARLIEST_US = 946_684_800_000_000

COPY_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
COPY_END = b"\xff\xff"
COPY_ROW = np.dtype([
    ("fields", ">i2"), ("hour_size", ">i4"), ("hour", ">i4"), ("stream_size", ">i4"), ("stream", ">i8"), ("at_size", ">i4"),
    ("at", ">i8"), ("result_size", ">i4"), ("result", ">f8"), ("flags_size", ">i4"), ("flags", ">i2"),
])

UNKNOWN_DEVICE = "UNKNOWN_DEVICE"
UNKNOWN_DATASTREAM = "UNKNOWN_DATASTREAM"
FOREIGN_DEVICE = "FOREIGN_DEVICE"
NO_DEVICE = "NO_DEVICE"
BAD_CLOCK = "BAD_CLOCK"
UNREADABLE = "UNREADABLE"
UNMAPPED = "UNMAPPED"
REASONS = {
    UNKNOWN_DEVICE: Text("没有登记的设备；请先登记设备，再放行。", "Unknown device; register it, then release."),
    UNKNOWN_DATASTREAM: Text("设备没有这个数据流；请核对名称，例如 register_l。", "The device has no such datastream; check the name, for example register_l."),
    FOREIGN_DEVICE: Text("设备用自己的令牌上报了另一台设备的读数。", "A device reported for another device with its own token."),
    NO_DEVICE: Text("集成令牌的读数没有写 device。", "A reading sent with an integration token names no device."),
    UNREADABLE: Text("消息无法解读；请核对设备的主题和上报格式，设备会继续收到确认。", "The message cannot be read; check the device's topic and format. It is acknowledged all the same."),
    UNMAPPED: Text(
        "平台消息里没有登记过的属性；请在 shouwang.toml 的 [sources.…] 写明 registers，再放行。",
        "No property of the platform's message is known; name it under registers in [sources.…] of shouwang.toml, then release.",
    ),
    BAD_CLOCK: Text("读数时间早于 2000 年；请校准设备时钟。", "The reading is dated before 2000; set the device's clock."),
}


class UnknownDatastream(ShouwangError):
    """Readings name a datastream that does not exist."""

    zh = "没有编号为 {datastream_id} 的数据流；请先登记设备。"
    en = "There is no datastream {datastream_id}; register the device first."
    status = 404


class Unmapped(ShouwangError):
    """A platform's message holds readings, and it is not said which of them is what."""

    zh = "设备 {device} 的消息里有属性 {found}，都没有登记；请在 shouwang.toml 的 [sources.…] 写明 registers。"
    en = "The message of {device} holds {found}, none of which is known; name it under registers in [sources.…] of shouwang.toml."
    status = 422


class ThingTaken(ShouwangError):
    """A thing with this external id exists already."""

    zh = "设备 {external_id} 已登记；请核对表号，或在原设备上修改。"
    en = "The thing {external_id} is registered already; check its number, or change the existing one."
    status = 409


class SpanTooLong(ShouwangError):
    """A series was asked for over too long a time."""

    zh = "所选时间为 {days} 天，最多 {limit} 天；请缩短时间范围。"
    en = "The span is {days} days, at most {limit} are shown; choose a shorter one."


class FileUnreadable(ShouwangError):
    """A file of readings cannot be read at all."""

    zh = "文件 {name} 无法读取：{detail}；请另存为 CSV（UTF-8 或 GB18030）、XLSX 或 Parquet 后重试。"
    en = "The file {name} cannot be read: {detail}; save it as CSV (UTF-8 or GB18030), XLSX or Parquet and try again."
    status = 422


class ColumnMissing(ShouwangError):
    """A file of readings lacks a column."""

    zh = "文件 {name} 缺少列“{expected}”，现有列：{found}；请补上表头后重试。"
    en = "The file {name} lacks the column {expected}; it has {found}. Add the heading and try again."
    status = 422


@dataclass(frozen=True)
class NewThing:
    """A thing to register with its datastreams, (property, unit) each."""

    external_id: str
    kind: str
    name: str
    datastreams: tuple[tuple[str, str], ...]
    area_id: int | None = None
    path: str = ""
    household_id: int | None = None
    exercise_id: int | None = None


@dataclass(frozen=True)
class ThingAdded:
    """A registered thing and its datastream ids by property."""

    thing_id: int
    external_id: str
    datastreams: dict[str, int]


@dataclass(frozen=True)
class NewQuarantine:
    """Readings of one device that cannot be placed, kept as they came; `raw` is their JSON."""

    reason: str
    device: str
    raw: str
    rows: int


def unmapped(error: Unmapped, body: bytes) -> NewQuarantine:
    """Return what quarantine keeps of a platform's message: as it came, so that it can be read once its properties are known."""
    return NewQuarantine(UNMAPPED, str(error.params["device"]), body.decode("utf-8", "backslashreplace"), 1)


@dataclass(frozen=True)
class IngestResult:
    """What became of a batch: `accepted` rows are new; `future` and `late` are among them; `seq` is its place in the log."""

    accepted: int = 0
    duplicates: int = 0
    future: int = 0
    late: int = 0
    seq: int | None = None

    def plus(self, other: IngestResult) -> IngestResult:
        """Return the sum of both, with the later place in the log."""
        return IngestResult(
            self.accepted + other.accepted, self.duplicates + other.duplicates, self.future + other.future,
            self.late + other.late, other.seq if other.seq is not None else self.seq,
        )


@dataclass(frozen=True)
class Batch:
    """One batch of the ingest log: its rows, and the partition of each row."""

    seq: int
    received_at: datetime
    columns: Columns
    partition: NDArray[np.uint8]


def partition_of(area_id: int | None, name: str) -> int:
    """Return the partition (0–63) of a thing: that of its area and those numbered next to it; by its name where it has none.

    Neighbours are numbered together, and a county of few areas has few partitions: each costs the watch at every tick.
    """
    return zlib.crc32(name.encode()) % PARTITIONS if area_id is None else area_id // AREAS_TOGETHER % PARTITIONS


def bitmask(partition: NDArray[np.uint8]) -> int:
    """Return the set of partitions as a signed 64-bit number."""
    mask = sum(1 << int(each) for each in np.flatnonzero(np.bincount(partition, minlength=PARTITIONS)))
    return mask - (1 << PARTITIONS) if mask >> (PARTITIONS - 1) else mask


def pack(columns: Columns, partition: NDArray[np.uint8]) -> bytes:
    """Return a batch as bytes: its four columns one after the other, little-endian, 25 bytes a row."""
    return b"".join((columns.stream.tobytes(), columns.at_us.tobytes(), columns.value.tobytes(), partition.tobytes()))


def unpack(blob: bytes) -> tuple[Columns, NDArray[np.uint8]]:
    """Return the columns and partitions that `pack` made into `blob`. Raises ValueError for a broken one."""
    count, rest = divmod(len(blob), ROW_BYTES)
    if rest:
        message = f"an ingest batch of {len(blob)} bytes is no multiple of {ROW_BYTES}; restore it from the backup"
        raise ValueError(message)
    return (
        Columns(
            np.frombuffer(blob, np.int64, count), np.frombuffer(blob, np.int64, count, 8 * count),
            np.frombuffer(blob, np.float64, count, 16 * count),
        ),
        np.frombuffer(blob, np.uint8, count, 24 * count),
    )


def copy_rows(hour: Int64s, stream: Int64s, at_us: Int64s, value: Float64s, flags: Int64s) -> bytes:
    """Return observations in PostgreSQL's binary COPY format: every row the same 52 bytes, so one array makes them all."""
    rows = np.empty(len(hour), COPY_ROW)
    rows["fields"] = 5
    for name, column in (("hour", hour), ("stream", stream), ("at", at_us), ("result", value), ("flags", flags)):
        rows[name] = column
        rows[f"{name}_size"] = COPY_ROW[name].itemsize
    return COPY_HEADER + rows.tobytes() + COPY_END


def flags_of(at_us: Int64s, *, now_us: int) -> Int64s:
    """Return FUTURE for rows over 5 minutes ahead of `now_us`, LATE for rows over an hour behind, else 0."""
    flags = np.zeros(len(at_us), np.int64)
    flags[at_us > now_us + FUTURE_AFTER_US] = FUTURE
    flags[at_us < now_us - LATE_AFTER_US] = LATE
    return flags


def thin(at_us: Int64s, *, max_points: int) -> NDArray[np.intp]:
    """Return the places of at most `max_points` points of an ascending series: the last of each of equal spans of time.

    The last is the right one of a cumulative register; the series' own last point is always kept.
    """
    count = len(at_us)
    if count <= max_points:
        return np.arange(count)
    span = (at_us - at_us[0]) * max_points // (at_us[-1] - at_us[0] + 1)
    return np.flatnonzero(np.append(span[1:] != span[:-1], True))
