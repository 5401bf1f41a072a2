"""Topics: what is asked of the broker, and what a topic says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shouwang.telemetry.sources import decoder_of
from shouwang.telemetry.sources.mqtt_client.topics import address_in, check, filter_of, matched
from shouwang.ui.answers import BodyInvalid

MATCHES = [
    # pattern, topic, whether it comes under it, the device
    ("meters/{device}/up", "meters/M1/up", True, "M1"),
    ("meters/{device}/up", "meters/M1/down", False, None),
    ("meters/{device}/up", "meters/M1/up/more", False, None),
    ("meters/{device}/up", "meters//up", True, None),  # an empty level names nobody
    ("{device}", "M1", True, "M1"),
    ("+/{device}", "town/M1", True, "M1"),
    ("radio/#", "radio", True, None),  # 4.7.1.2: the parent level, too
    ("radio/#", "radio/a/b", True, None),
    ("{device}/#", "M1/a/b", True, "M1"),
    ("#", "any/thing", True, None),
    ("#", "$SYS/uptime", False, None),  # 4.7.2
    ("表/{device}", "表/水表一", True, "水表一"),
]


@pytest.mark.parametrize(("pattern", "topic", "comes_under", "device"), MATCHES)
def test_a_topic_comes_under_a_pattern(pattern: str, topic: str, comes_under: bool, device: str | None) -> None:
    check(pattern)
    assert (comes_under, device) == matched(pattern, topic)


def test_the_filter_asks_for_any_device() -> None:
    assert filter_of("meters/{device}/up") == "meters/+/up"
    assert filter_of("radio/#") == "radio/#"


@pytest.mark.parametrize("bad", ["", "$SYS/#", "$share/g/t", "a/#/b", "a+/b", "meters-{device}/up", "{device}/{device}", "a\0b", "x" * 1_001, "{meter}"])
def test_what_is_no_filter_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="topic"):
        check(bad)


def test_the_first_pattern_counts_and_under_none_nothing_is_decoded() -> None:
    routes = [("radio/#", decoder_of("wmbusmeters")), ("#", decoder_of("http"))]
    assert routes[0][1] is address_in(routes, "radio/x").decode
    assert routes[1][1] is address_in(routes, "x").decode
    with pytest.raises(BodyInvalid):
        address_in(routes[:1], "elsewhere").decode(b"{}")


LEVEL = st.text("ab{}+#$/ 表", max_size=3)


@given(st.lists(LEVEL, max_size=4).map("/".join), st.lists(LEVEL, max_size=4).map("/".join))
def test_no_topic_crashes_it_and_a_match_keeps_the_levels(pattern: str, topic: str) -> None:
    try:
        check(pattern)
    except ValueError:
        return
    comes_under, device = matched(pattern, topic)
    assert device is None or (comes_under and device in topic.split("/"))
    if comes_under and "#" not in pattern:
        assert len(topic.split("/")) == len(pattern.split("/"))
