"""What kinds share: a sound given out as fast as it is heard, and a password as the device asks for it."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from shouwang.notify.contract import Rejected, Retry, Unknown
from shouwang.notify.speaking.devices import HEAD_S, Login, Paced, not_yet


class Time:
    """A clock that goes on only when somebody sleeps, or when a part is taken slowly."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds

    def monotonic(self) -> float:
        return self.now_s


@pytest.mark.parametrize("length", [0, 1, 3_200, 3_201, 40_000])
def test_a_sound_is_given_out_as_fast_as_it_is_heard(length: int) -> None:
    time, data = Time(), bytes(range(256)) * 200
    paced = Paced(data[:length], sleep=time.sleep, monotonic=time.monotonic)
    given = b""
    for part in paced:
        given += part
        ahead_s = len(given) / 8_000 - (time.now_s - 100.0)
        assert ahead_s <= HEAD_S + 0.041  # never more than the device's buffer holds
    assert data[:length] == given == b"".join(paced)  # and again from the start
    assert paced.lasting_s == length / 8_000


def test_a_slow_line_is_not_slowed_further() -> None:
    time = Time()
    parts = iter(Paced(bytes(16_000), sleep=lambda s: pytest.fail("slept"), monotonic=time.monotonic))
    for _ in range(20):
        next(parts, None)
        time.now_s += 0.1


def asked(answers: list[httpx.Response]) -> tuple[httpx.Response, list[str]]:
    """Return the last answer, and how each request said who it is."""
    said: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        said.append(request.headers.get("authorization", "").partition(" ")[0])
        return answers.pop(0)

    with httpx.Client(transport=httpx.MockTransport(answer)) as http:
        return http.get("http://device.example/", auth=Login("watch", "an-invented-password")), said


def unauthorised(*questions: str) -> httpx.Response:
    return httpx.Response(401, headers=[("www-authenticate", each) for each in questions])


DIGEST = 'Digest realm="r", nonce="n", qop="auth"'
QUESTIONS: list[tuple[list[httpx.Response], int, list[str]]] = [
    ([httpx.Response(200)], 200, [""]),  # it does not ask
    ([unauthorised(DIGEST), httpx.Response(200)], 200, ["", "Digest"]),
    ([unauthorised('Basic realm="r"'), httpx.Response(200)], 200, ["", "Basic"]),
    ([unauthorised('Basic realm="r"', DIGEST), httpx.Response(200)], 200, ["", "Digest"]),  # never the weaker of two
    ([unauthorised(DIGEST), unauthorised(DIGEST)], 401, ["", "Digest"]),  # a wrong password, asked once
    ([unauthorised()], 401, [""]),
    ([unauthorised("Negotiate")], 401, [""]),
    ([unauthorised("Digest")], 401, [""]),  # malformed
    ([unauthorised('Digest realm="r", nonce="n", algorithm=RIPEMD')], 401, [""]),
    ([unauthorised('Digest realm="r", nonce="n", qop="auth-int"')], 401, [""]),
]


@pytest.mark.parametrize(("answers", "status", "said"), QUESTIONS)
def test_a_password_is_said_as_the_device_asks_for_it(answers: list[httpx.Response], status: int, said: list[str]) -> None:
    last, found = asked(list(answers))
    assert (status, said) == (last.status_code, found)


def test_what_the_device_asked_is_remembered() -> None:
    said: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        said.append(request.headers.get("authorization", "").partition(" ")[0])
        return unauthorised('Basic realm="r"') if not said[-1] else httpx.Response(200)

    auth: httpx.Auth = Login("watch", "an-invented-password")
    with httpx.Client(transport=httpx.MockTransport(answer)) as http:
        get: Callable[[], httpx.Response] = lambda: http.get("http://device.example/", auth=auth)  # noqa: E731
        assert [200, 200] == [get().status_code, get().status_code]
    assert ["", "Basic", "Basic"] == said


def test_what_cannot_have_sounded_may_be_tried_again() -> None:
    assert [Retry(1.0, "TIMEOUT"), Rejected("HTTP_401"), Retry(9.0, "HTTP_429")] == [
        not_yet(each) for each in (Unknown("TIMEOUT"), Rejected("HTTP_401"), Retry(9.0, "HTTP_429"))
    ]
