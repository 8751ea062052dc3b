"""The transcript stores everything that may be shown, in order, and finds it again."""

from __future__ import annotations

import threading

from ddoauth_kit.exchange import Exchange
from ddoauth_kit.http.record import Record
from ddoauth_kit.http.transcript import Transcript


def _exchange(**changes: object) -> Exchange:
    values = {"purpose": "x", "method": "GET", "url": "https://api.datadoghq.com/a?b=<c>"}
    return Exchange(**{**values, "status": 200, **changes})


def test_transcript_keeps_order() -> None:
    """Exchanges are returned unchanged; their wall time is not part of repr or equality."""
    transcript = Transcript()
    for status in (200, 404):
        transcript.add(Record(_exchange(status=status, seconds=status)))
    assert len(transcript) == 2
    assert list(transcript) == [_exchange(status=200), _exchange(status=404)]
    assert "seconds" not in repr(_exchange(seconds=1.5))


def test_transcript_forgets_the_oldest() -> None:
    """A long run does not grow without end: the newest thousand stay."""
    transcript = Transcript()
    for number in range(1001):
        transcript.add(Record(_exchange(status=number)))
    assert len(transcript) == 1000
    assert next(iter(transcript)).status == 1


def test_transcript_shows_one_line_an_exchange() -> None:
    """Text for the terminal."""
    transcript = Transcript()
    assert repr(transcript) == "(no request was sent)"
    transcript.add(Record(_exchange(purpose="<b>probe</b>")))
    assert repr(transcript) == "200 GET https://api.datadoghq.com/a?b=<c>  (<b>probe</b>)"


def test_transcript_finds_the_newest_of_a_purpose() -> None:
    """A lesson asks for what was sent by its purpose, and gets the latest."""
    transcript = Transcript()
    for status, purpose in ((200, "a"), (201, "b"), (202, "a")):
        transcript.add(Record(_exchange(status=status, purpose=purpose)))
    found = transcript.last("a")
    assert found is not None
    assert found.status == 202
    assert transcript.last("c") is None
    assert transcript.newest() is found


def test_it_is_searched_while_others_add_to_it() -> None:
    """A panel probes beside a cell that looks for an exchange."""
    transcript = Transcript()
    over = threading.Event()

    def fill() -> None:
        while not over.is_set():
            transcript.add(Record(_exchange()))

    threads = [threading.Thread(target=fill) for _ in "ab"]
    for thread in threads:
        thread.start()
    try:
        for _ in range(2_000):
            assert transcript.last("nothing like it") is None
            list(transcript)
    finally:
        over.set()
        for thread in threads:
            thread.join()
