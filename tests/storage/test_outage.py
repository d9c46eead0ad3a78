"""For how long an outage of a remote is waited for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence

import pytest

from orchestrator.errors import NoAnswerError, NotFoundError, OutageError, RateLimitError, RemoteError, TransientError
from orchestrator.records import Entry
from orchestrator.retry_times import OUTAGE_S
from orchestrator.storage.fake.memory import MemoryStorage
from orchestrator.storage.protocol import Call, CallResult, StatCall
from orchestrator.storage.wrappers.forwarding import Result
from orchestrator.storage.wrappers.outage import AnsweringStorage, Contact
from orchestrator.storage.wrappers.rate_limit import RateLimitedStorage
from orchestrator.storage.wrappers.retry import RetryingStorage

REFUSED = TransientError("connection refused")


class World(threading.Event):
    """A remote that answers at some times, and a clock that only waits move. It is the `stop` and the `line` of a Contact."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self.away_until = 0.0
        self.error: RemoteError = REFUSED
        self.questions: list[float] = []
        self.sign = 0
        self.slow_until = 0.0
        """Until then, it answers one request a minute."""
        self.is_cut = False
        self.cuts = 0
        self.said: list[str] = []

    def contact(self, *, heard: bool = True, alone: bool = True) -> Contact:
        made = Contact(
            "nas",
            self,
            stop=self,
            on_wait=lambda reason, _: self.said.append(reason),
            clock=lambda: self.now,
            alone=lambda: alone,
        )
        if heard:
            made.hear()
        return made

    def wait(self, timeout: float | None = None) -> bool:
        self.now += timeout or 0.0
        return self.is_set()

    def go_away(self, seconds: float = 10_000.0) -> None:
        self.away_until = self.now + seconds

    def ask(self, within_s: float) -> None:
        self.questions.append(self.now)
        if self.now < self.away_until:
            self.now += within_s if isinstance(self.error, NoAnswerError) else 0.0
            raise self.error

    def signs(self) -> int:
        return self.sign + int(min(self.now, self.slow_until) // 60)

    def cut(self) -> None:
        self.is_cut = True
        self.cuts += 1

    def reopen(self) -> None:
        self.is_cut = False

    def send(self) -> str:
        if self.now < self.away_until:
            raise self.error
        return "answer"


@pytest.fixture
def world() -> World:
    return World()


def fails(contact: Contact, send: Callable[[], object]) -> TransientError:
    with pytest.raises(TransientError) as raised, contact.request():
        send()
    return raised.value


def test_a_restart_of_a_server_is_waited_for(world: World) -> None:
    contact = world.contact()
    world.go_away(60.0)
    assert fails(contact, world.send) is REFUSED
    contact.wait()
    assert 1060 <= world.now < 1066, "soon after it is back"
    assert not world.cuts
    assert "no answer from nas: for 0 s, given up after 90 s" in world.said[0]


@pytest.mark.parametrize("error", [REFUSED, NoAnswerError("no answer within 10 s")])
def test_a_server_that_stays_away_is_given_up_for_all(world: World, error: RemoteError) -> None:
    """Once for all files and for all tries; later it is asked again, once."""
    contact = world.contact()
    world.error = error
    world.go_away()
    fails(contact, world.send)
    with pytest.raises(OutageError):
        contact.wait()
    assert OUTAGE_S <= world.now - 1000 <= OUTAGE_S + 10
    assert (world.is_cut, world.cuts) == (True, 1)
    assert len(world.questions) < 30

    asked, now = len(world.questions), world.now
    for _ in range(1000):
        assert isinstance(fails(contact, world.send), OutageError)
        with pytest.raises(OutageError):
            contact.wait()
    assert (len(world.questions), world.now) == (asked, now)

    world.now += 40
    assert not isinstance(fails(contact, world.send), OutageError)
    with pytest.raises(OutageError):
        contact.wait()
    assert (len(world.questions), world.cuts) == (asked + 1, 2)
    world.now += 40
    world.away_until = 0.0
    with contact.request():
        assert world.send() == "answer"
    assert not world.is_cut


def test_a_server_that_never_answered_is_given_up_sooner(world: World) -> None:
    contact = world.contact(heard=False)
    world.go_away()
    fails(contact, world.send)
    with pytest.raises(OutageError):
        contact.wait()
    assert world.now - 1000 <= 30


def test_a_silent_server_that_answers_a_simple_question_is_left_alone(world: World) -> None:
    contact = world.contact()
    world.now += 3600  # nobody asked for anything
    with contact.request():
        wait_silently(world, contact, 600)
        assert (world.cuts, world.is_cut) == (0, False)
    assert 20 < len(world.questions) < 50


def test_a_silent_server_that_does_not_answer_a_question_either_is_given_up(world: World) -> None:
    contact = world.contact()
    world.now += 3600
    began = world.now
    world.error = NoAnswerError("no answer within 10 s")
    world.go_away()

    def ended() -> None:
        wait_silently(world, contact, 600)
        raise TransientError("the connection to rclone broke")

    assert fails(contact, ended).message == f"no answer for {world.now - began:.0f} s"
    assert OUTAGE_S <= world.now - began <= OUTAGE_S + 15
    assert world.cuts == 1


def wait_silently(world: World, contact: Contact, seconds: float) -> None:
    """Until the requests are ended, at most for so long."""
    until = world.now + seconds
    while world.now < until and not world.is_cut:
        world.now += 1
        contact.check()
        for thread in threading.enumerate():
            if thread.name == "asks nas":
                thread.join(30)


def test_a_long_transfer_that_moves_is_not_disturbed(world: World) -> None:
    contact = world.contact()
    with contact.request():
        for _ in range(600):
            world.now += 1
            world.sign += 1
            contact.check()
    assert world.questions == []


def test_a_server_that_is_too_slow_for_the_question_is_waited_for_as_long_as_it_answers(world: World) -> None:
    contact = world.contact()
    world.error = NoAnswerError("no answer within 10 s")
    world.go_away()
    world.slow_until = 1600.0

    def silent() -> None:
        wait_silently(world, contact, 3000)
        raise REFUSED

    assert isinstance(fails(contact, silent), OutageError)
    assert world.slow_until - 60 + OUTAGE_S <= world.now <= world.slow_until + OUTAGE_S + 20


def test_signs_that_may_be_of_another_remote_do_not_prolong_the_wait(world: World) -> None:
    contact = world.contact(alone=False)
    world.go_away()
    world.slow_until = 10_000.0
    fails(contact, world.send)
    with pytest.raises(OutageError):
        contact.wait()
    assert world.now - 1000 <= OUTAGE_S + 10


LATER = RateLimitError("429", retry_after=300)


def refused_by_the_question(world: World, contact: Contact) -> None:
    world.error = LATER
    world.go_away(1.0)
    contact.wait()


def refused_by_a_request(_: World, contact: Contact) -> None:
    with pytest.raises(RateLimitError), contact.request():
        raise LATER


def refused_in_a_batch(_: World, contact: Contact) -> None:
    memory = MemoryStorage()
    # Replaced on this one storage: the fake has no way to end a batch so.
    memory.batch = lambda calls, *, concurrency=8: [LATER for _ in calls]  # type: ignore[method-assign] # noqa: ARG005
    assert AnsweringStorage(memory, contact).batch([StatCall("a.mp3")]) == [LATER]


@pytest.mark.parametrize("refuse", [refused_by_the_question, refused_by_a_request, refused_in_a_batch])
def test_a_remote_that_wants_no_requests_for_a_while_is_not_dead(world: World, refuse: Callable[[World, Contact], None]) -> None:
    """rclone sends none then, not even the question."""
    contact = world.contact()
    refuse(world, contact)
    world.error = NoAnswerError("no answer within 10 s")
    world.go_away(305.0)
    with contact.request():
        wait_silently(world, contact, 320)
    assert (world.cuts, contact.outage) == (0, None)
    world.error = REFUSED
    world.go_away()
    with pytest.raises(OutageError):
        contact.wait()


def test_an_error_of_one_file_is_no_outage(world: World) -> None:
    contact = world.contact()
    fails(contact, lambda: storage_fails(TransientError("500 for this file")))
    contact.wait()
    assert (len(world.questions), world.now) == (1, 1000)
    with pytest.raises(NotFoundError), contact.request():
        raise NotFoundError("no such file")
    world.error = NotFoundError("no such file")
    world.go_away()
    contact.wait()
    assert not world.cuts, "it answers, if only that there is no such file"


def test_a_batch_that_was_cut_is_no_sign_of_life_even_if_some_of_it_was_done_before(world: World) -> None:
    memory = MemoryStorage()
    memory.put("a.mp3", b"song")
    contact = world.contact()
    storage = AnsweringStorage(memory, contact)
    world.error = NoAnswerError("no answer within 10 s")
    batch = memory.batch

    def half_way(calls: Sequence[Call], *, concurrency: int = 8) -> Sequence[CallResult]:
        done = batch(calls[:1], concurrency=concurrency)
        world.go_away()
        wait_silently(world, contact, 600)
        return [*done, TransientError("the connection to rclone broke")]

    # Replaced on this one storage: the fake has no way to end a batch so.
    memory.batch = half_way  # type: ignore[method-assign]
    first, second = storage.batch([StatCall("a.mp3"), StatCall("b.mp3")])
    assert isinstance(first, Entry)
    assert isinstance(second, OutageError)
    assert (world.is_cut, contact.outage) == (True, second)


def test_a_file_that_cannot_be_read_in_an_outage_is_not_gone(world: World) -> None:
    """rclone's ways to read say "not found" of many errors."""
    memory = MemoryStorage()
    memory.put("a.mp3", b"song")
    contact = world.contact()
    storage = AnsweringStorage(memory, contact)
    fails(contact, lambda: storage_fails(REFUSED))
    memory.fail(memory.calls_made + 1, NotFoundError("a.mp3: not found"))
    with pytest.raises(TransientError, match="nas does not answer"):
        storage.read_range("a.mp3", 0, 1)
    contact.wait()
    memory.fail(memory.calls_made + 1, NotFoundError("a.mp3: not found"))
    with pytest.raises(NotFoundError):
        storage.read_range("a.mp3", 0, 1)


def storage_fails(error: RemoteError) -> None:
    raise error


def test_a_stop_ends_the_wait(world: World) -> None:
    contact = world.contact()
    world.go_away()
    world.set()
    with pytest.raises(TransientError) as raised:
        contact.wait()
    assert raised.value is REFUSED
    assert world.now == 1000


def test_after_a_stop_a_silent_remote_is_not_waited_for(world: World) -> None:
    contact = world.contact()

    def stopped() -> None:
        world.set()
        wait_silently(world, contact, 600)
        raise TransientError("the connection to rclone broke")

    assert isinstance(fails(contact, stopped), OutageError)
    assert (world.cuts, world.questions) == (1, [])


def test_a_listing_that_broke_off_begins_again_once_the_server_is_back(world: World) -> None:
    memory = MemoryStorage()
    for number in range(10):
        memory.put(f"{number}.mp3", b"song")
    contact = world.contact()
    broken = iter([True])

    class Breaking(AnsweringStorage):
        def stream(self, ask: Callable[[], Iterator[Result]]) -> Iterator[Result]:
            for number, item in enumerate(super().stream(ask)):
                if number == 5 and next(broken, False):
                    world.go_away(60.0)
                    raise REFUSED
                yield item

    storage = RateLimitedStorage(Breaking(memory, contact), 1_000_000, until_it_answers=contact.wait)
    assert sorted(entry.path for entry in storage.list()) == [f"{number}.mp3" for number in range(10)]
    assert world.now >= 1060


def test_further_tries_are_made_once_the_server_is_back(world: World) -> None:
    """A storage with two tries for each request gets through an outage of a minute."""
    memory = MemoryStorage()
    memory.put("a.mp3", b"song")
    contact = world.contact()
    storage = RetryingStorage(AnsweringStorage(memory, contact), attempts=2, until_it_answers=contact.wait, sleep=lambda _: None)
    assert storage.exists("a.mp3")
    world.go_away(60.0)
    memory.fail(memory.calls_made + 1, REFUSED)
    assert storage.exists("a.mp3")
    assert world.now >= 1060


def test_a_batch_in_which_every_call_fails_is_no_sign_of_life(world: World) -> None:
    memory = MemoryStorage()
    contact = world.contact()
    storage = AnsweringStorage(memory, contact)
    world.go_away()
    for number in range(1, 40):
        memory.fail(memory.calls_made + number, REFUSED)
    world.now += 30
    with contact.request() as request:
        request.answered = False
        world.now += 80
        assert all(isinstance(one, TransientError) for one in storage.batch([StatCall("a"), StatCall("b")]))
    with pytest.raises(OutageError, match="no answer for "):
        contact.wait()
    (one,) = storage_answers(storage)
    assert isinstance(one, OutageError)


def storage_answers(storage: AnsweringStorage) -> list[object]:
    try:
        return list(storage.batch([StatCall("a")]))
    except TransientError as error:
        return [error]
