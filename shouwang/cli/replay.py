"""`shouwang replay`: plays recorded water meters into a demo world on its own scaled clock.

The file is that of docs/reference/commands.md; readings go through the HTTP source's own `receive`, as a gateway sends them.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from shouwang.cli.app import DATABASE_HELP, app, bring_up_to_date, console, start_django, told
from shouwang.cli.demo import KEEP_HELP, PORT_HELP, demo_folder, free_port, show_links
from shouwang.cli.errors import MetersUnreadable, RealDataPresent, ReplayBroken
from shouwang.cli.serving import ME, run_all, web
from shouwang.web.demo import database_name, is_marked_as_demo, mark_if_empty

if TYPE_CHECKING:
    import polars as pl

    from shouwang.kernel.clock import Clock
    from shouwang.people.rules import Scope
    from shouwang.places.queries import AreaRow

BATCH = 500
POLL_S = 0.1
SETTLE_S = 60.0
HEAD_START_S = 4.0  # real seconds between the clock's start and the first reading, in which the processes start
LINK_LIFE = timedelta(days=3_650)  # a day of a fast clock is over in seconds
TRIES = 30
RETRY_S = 1.0
COUNTED = {
    "alert.opened": ("预警", "alerts"), "case.opened": ("事件", "cases"), "case.dispatched": ("派发", "dispatched"),
    "case.escalated": ("升级", "escalations"), "case.coverage_gap": ("无人值守", "coverage gaps"),
}


@dataclass(frozen=True)
class Track:
    """The readings of a file in the order of their time: whose (an index into `meters`), when and what the register showed."""

    meters: Sequence[str]
    meter: Sequence[int]
    at: Sequence[datetime]
    register_l: Sequence[float]

    def __len__(self) -> int:
        """Return the number of readings."""
        return len(self.at)


@dataclass(frozen=True)
class Stage:
    """A seeded world that waits for a replay: role links, and what the integration's token allows."""

    links: Sequence[tuple[str, str]]
    scope: Scope


def read_track(file: Path, *, homes: int = 0, max_days: float = 0) -> Track:
    """Return the readings of the first `homes` meters within `max_days` of the first reading; 0 means all.

    Where the file has no register, litres are added up. Raises MetersUnreadable.
    """
    import polars as pl  # noqa: PLC0415 - a quarter of a second that every other command would pay too

    try:
        frame = pl.read_parquet(file)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise MetersUnreadable(name=file.name, found=str(error).splitlines()[0]) from error
    frame = _checked(frame, file.name)
    meters = sorted(frame["meter_id"].unique().to_list())[: homes or None]
    frame = frame.filter(pl.col("meter_id").is_in(meters)).sort("ts", "meter_id")
    if max_days:
        first: datetime = frame["ts"][0]
        frame = frame.filter(pl.col("ts") < first + timedelta(days=max_days))
    place = {meter: n for n, meter in enumerate(meters)}
    return Track(
        meters, [place[meter] for meter in frame["meter_id"].to_list()], frame["ts"].to_list(), frame["register_l"].to_list(),
    )


def _checked(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    import polars as pl  # noqa: PLC0415 - as above

    missing = {"meter_id", "ts"} - set(frame.columns)
    if missing or not {"register_l", "litres"} & set(frame.columns):
        raise MetersUnreadable(name=name, found=f"{', '.join(frame.columns)}")
    kind = frame.schema["ts"]
    if not isinstance(kind, pl.Datetime) or kind.time_zone is None:
        raise MetersUnreadable(name=name, found=f"ts: {kind}")
    if "register_l" not in frame.columns:
        frame = frame.sort("meter_id", "ts").with_columns(register_l=pl.col("litres").cast(pl.Float64).cum_sum().over("meter_id"))
    frame = frame.with_columns(pl.col("ts").dt.convert_time_zone("UTC")).drop_nulls(["meter_id", "ts", "register_l"])
    if frame.is_empty():
        raise MetersUnreadable(name=name, found="0 readings")
    return frame


def refuse_real_data(folder: Path) -> bool:
    """Return whether the database holds an earlier demo. Raises RealDataPresent when it holds anything else."""
    from shouwang.journal.queries import last_seq  # noqa: PLC0415 - needs Django started

    count = last_seq()
    if count and not is_marked_as_demo(folder):
        raise RealDataPresent(database=database_name(), count=count)
    return bool(count)


def set_stage(track: Track, *, speed: float, now: datetime, chance: Random) -> Stage:
    """Seed the demo's world at `now` in an empty database, with a home for every meter of the track."""
    from shouwang.people.actions import issue_entry_link  # noqa: PLC0415 - needs Django started
    from shouwang.people.queries import scope_of_token  # noqa: PLC0415
    from shouwang.people.queries.scopes import account_of_entry_link  # noqa: PLC0415
    from shouwang.simulator.world import ROLES, seed  # noqa: PLC0415
    from shouwang.watch.actions import set_watch  # noqa: PLC0415
    from shouwang.watch.queries import watches  # noqa: PLC0415

    with Progress(console=console, transient=True) as progress:
        bar = progress.add_task("生成演示数据 · seeding", total=5)
        world = seed(now=now, chance=chance, report=lambda _, done, __: progress.update(bar, completed=done))
        _house(track.meters, now=now, chance=chance)
        for watch in watches():
            set_watch(
                watch.code, detector=watch.detector, now=now, params=watch.params, thing_kind=watch.thing_kind,
                observed=watch.property, lateness_s=lateness_s(speed), enabled=watch.enabled,
            )
    scope = scope_of_token(world.token, "INTEGRATION", now)
    if scope is None:
        raise ReplayBroken(status=401, detail="demo-meters")
    links = []
    for code, zh, en, _ in ROLES:
        account = account_of_entry_link(world.links[code].strip("/").rpartition("/")[2], at=now)
        if account is not None:
            links.append((f"{zh} · {en}", f"/enter/{issue_entry_link(account, now=now, life=LINK_LIFE)}/"))
    return Stage(links, scope)


def lateness_s(speed: float) -> int:
    """Return how late a reading may come on the scaled clock: three real seconds, so that a busy second costs nothing."""
    return max(2, round(3 * speed))


def _house(meters: Sequence[str], *, now: datetime, chance: Random) -> None:
    """Give every meter a household of an invented person with a relative, enrolled, in turn over the villages."""
    from shouwang.places import queries as places  # noqa: PLC0415 - needs Django started

    villages = [area for root in places.roots() for area in places.below(root.path, levels=("VILLAGE",))]
    if not villages:
        raise ReplayBroken(status=0, detail="the demo world has no village")
    step = max(1, len(villages) // len(meters))
    for number, meter in enumerate(meters):
        _home(meter, number, villages[number * step % len(villages)], now=now, chance=chance)


def _home(meter: str, number: int, village: AreaRow, *, now: datetime, chance: Random) -> None:
    from shouwang.people.actions import NewPerson, add_member, add_persons, enrol_household  # noqa: PLC0415 - needs Django started
    from shouwang.simulator.names import name, phone  # noqa: PLC0415
    from shouwang.simulator.world import everything  # noqa: PLC0415
    from shouwang.systems.living_alone.actions import enrol  # noqa: PLC0415
    from shouwang.telemetry.actions import add_things  # noqa: PLC0415
    from shouwang.telemetry.rules import NewThing  # noqa: PLC0415

    scope = everything()
    resident, relative = add_persons(scope, [
        NewPerson(name(chance), village.id, phone(92_000 + number)), NewPerson(name(chance), village.id, phone(94_000 + number)),
    ], now=now)
    household = enrol_household(
        scope, name=f"{village.name}{meter}户", address=f"{village.name}{chance.randint(1, 12)}组{chance.randint(1, 60)}号",
        area_id=village.id, residents=[resident], now=now,
    )
    add_member(scope, household, person_id=relative, role="RELATIVE", relation="子女", now=now)
    (thing,) = add_things(
        [NewThing(meter, "WATER_METER", meter, (("register_l", "L"),), village.id, village.path, household)], now=now,
    )
    enrol(household_id=household, datastream_id=thing.datastreams["register_l"], area_id=village.id, path=village.path, now=now)


def play(
    track: Track, scope: Scope, clock: Clock, *, go_on: Callable[[], bool], report: Callable[[int], None] = lambda _: None,
    sleep: Callable[[float], None] = time.sleep,
) -> Counter[str]:
    """Send every reading once the clock has reached it, in batches of at most 500; return what became of them.

    Raises ReplayBroken when a batch is refused.
    """
    done: Counter[str] = Counter()
    sent = 0
    while sent < len(track) and go_on():
        now = clock.now()
        end = sent
        while end < len(track) and end - sent < BATCH and track.at[end] <= now:
            end += 1
        if end == sent:
            sleep(POLL_S)
            continue
        done.update(_send(track, sent, end, scope=scope, clock=clock, sleep=sleep))
        sent = end
        report(sent)
    return done


def _send(
    track: Track, begin: int, end: int, *, scope: Scope, clock: Clock, sleep: Callable[[float], None],
) -> Mapping[str, int]:
    from shouwang.telemetry.sources.http import receive  # noqa: PLC0415 - needs Django started

    body = msgspec.json.encode({"readings": [
        {
            "device": track.meters[track.meter[n]], "datastream": "register_l", "phenomenon_time": track.at[n],
            "result": track.register_l[n],
        }
        for n in range(begin, end)
    ]})
    for _ in range(TRIES):
        answer = receive(body, scope, now=clock.now())
        if answer.status != 503:
            break
        sleep(RETRY_S)
    if answer.status != 200:
        raise ReplayBroken(status=answer.status, detail=msgspec.json.encode(answer.body).decode())
    return {code: int(str(count)) for code, count in answer.body.items()}


def settle(clock: Clock, *, go_on: Callable[[], bool], patience_s: float = SETTLE_S) -> None:
    """Wait until the watch has judged all readings at a moment that is past their lateness, at most `patience_s`."""
    from shouwang.telemetry.queries import last_batch  # noqa: PLC0415 - needs Django started
    from shouwang.watch.queries import last_tick, watches  # noqa: PLC0415

    wanted = clock.now() + timedelta(seconds=max((each.lateness_s for each in watches(enabled_only=True)), default=0))
    until = time.monotonic() + patience_s
    while go_on() and time.monotonic() < until:
        tick = last_tick()
        if tick is not None and tick.upto_seq >= last_batch() and tick.at >= wanted:
            return
        time.sleep(POLL_S)


def counts() -> Counter[str]:
    """Return how often each counted kind of event stands in the log."""
    from shouwang.journal.queries import events_after  # noqa: PLC0415 - needs Django started

    found: Counter[str] = Counter()
    seq = 0
    while page := events_after(seq, kinds=list(COUNTED), limit=5_000):
        found.update(event.kind for event in page)
        seq = page[-1].seq
    return found


@app.command()
def replay(  # noqa: PLR0917 - the options of a command
    file: Annotated[Path, typer.Argument(help="水表读数 Parquet · Parquet of meter readings", dir_okay=False)],
    speed: Annotated[float, typer.Option(min=1, max=36_000, help="时间倍速 · times real time")] = 3600,
    max_days: Annotated[float, typer.Option(min=0, help="只放前几天，0 为全部 · stop after so many days, 0 for all")] = 0,
    homes: Annotated[int, typer.Option(min=0, help="只放前几户，0 为全部 · only the first homes, 0 for all")] = 0,
    port: Annotated[int, typer.Option(help=PORT_HELP)] = 0,
    database: Annotated[str, typer.Option(help=DATABASE_HELP)] = "",
    keep: Annotated[Path | None, typer.Option(help=KEEP_HELP)] = None,
    stay: Annotated[bool, typer.Option(help="放完后继续提供页面 · keep serving the pages afterwards")] = False,
    seed: Annotated[int, typer.Option(help="随机种子 · seed")] = 7,
) -> None:
    """Play recorded water meters into a demo on a scaled clock: alerts appear, are dispatched, escalate when nobody answers."""
    with told(), demo_folder(keep, prefix="shouwang-replay-") as folder:
        track = read_track(file, homes=homes, max_days=max_days)
        start_django(database=database)
        bring_up_to_date()
        _empty(folder)
        from shouwang.journal.clock import set_scaled_clock  # noqa: PLC0415 - needs Django started

        first = track.at[0] - timedelta(seconds=HEAD_START_S * speed)
        stage = set_stage(track, speed=speed, now=first, chance=Random(seed))  # noqa: S311 - a demo
        port = port or free_port()
        show_links(f"http://127.0.0.1:{port}", stage.links)
        clock = set_scaled_clock(first, speed=speed)
        processes = [web("127.0.0.1", port), [*ME, "worker"], [*ME, "watch"]]
        run_all(processes, lambda all_run: _perform(track, stage.scope, clock, go_on=all_run, stay=stay))


def _empty(folder: Path) -> None:
    """Clear an earlier demo away, and mark the empty database as a demo."""
    from django.core.management import call_command  # noqa: PLC0415 - needs Django started

    if refuse_real_data(folder):
        console.print("清空旧的演示数据 · clearing the earlier demo")
        call_command("flush", interactive=False, verbosity=0)
    mark_if_empty(folder)


def _perform(track: Track, scope: Scope, clock: Clock, *, go_on: Callable[[], bool], stay: bool) -> None:
    from shouwang.journal.clock import set_scaled_clock  # noqa: PLC0415 - needs Django started

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[at]}"), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("回放 · replay", total=len(track), at="")
        done = play(
            track, scope, clock, go_on=go_on,
            report=lambda sent: progress.update(bar, completed=sent, at=f"{track.at[sent - 1]:%Y-%m-%d %H:%M}Z"),
        )
        settle(clock, go_on=go_on)
    if not go_on():
        raise ReplayBroken(status="—", detail="web / worker / watch")
    _conclude(done)
    set_scaled_clock(clock.now(), speed=1.0)
    while stay and go_on():
        time.sleep(POLL_S)


def _conclude(done: Counter[str]) -> None:
    found = counts()
    console.print(f"读数 {done['accepted']}，重复 {done['duplicates']} · readings {done['accepted']}, duplicates {done['duplicates']}")
    console.print("，".join(f"{zh} {found[kind]}" for kind, (zh, _) in COUNTED.items()))
    console.print(", ".join(f"{en} {found[kind]}" for kind, (_, en) in COUNTED.items()))
