"""Reading ahead: the next pieces of a file are fetched and unpacked while the last one is being worked on."""

from collections.abc import Generator, Iterable, Iterator
from queue import Full, Queue
from threading import Event, Thread
from typing import Final, Generic, TypeVar

T = TypeVar("T")

_DEPTH: Final = 2  # pieces in stock; more would cost memory and gain nothing, since both ends work steadily
_PATIENCE_S: Final = 0.1  # allow float: seconds; how soon the thread notices that nobody wants more


def ahead(pieces: Iterable[T]) -> Generator[T, None, None]:
    """
    Go through `pieces`, which are made in a thread of their own; what is raised there is raised here.

    The thread has ended when the iteration is over or has been closed.
    """
    stock = _Stock[T]()
    thread = Thread(target=stock.fill, args=(pieces,), name="ordermill-read-ahead", daemon=True)
    thread.start()
    try:
        yield from stock.pieces()
    finally:
        stock.unwanted.set()
        thread.join()


class _Stock(Generic[T]):
    """The pieces made and not yet taken; an exception among them, or None, is the last."""

    def __init__(self) -> None:
        self.unwanted = Event()
        self._queue: Queue[tuple[T] | BaseException | None] = Queue(_DEPTH)

    def fill(self, pieces: Iterable[T]) -> None:
        try:
            for piece in pieces:
                self._put((piece,))
                if self.unwanted.is_set():
                    return
        except BaseException as error:  # noqa: BLE001  # not handled here, only carried over to the other thread
            self._put(error)
        else:
            self._put(None)

    def pieces(self) -> Iterator[T]:
        while (taken := self._queue.get()) is not None:
            if isinstance(taken, BaseException):
                raise taken
            yield taken[0]

    def _put(self, piece: tuple[T] | BaseException | None) -> None:
        while not self.unwanted.is_set():
            try:
                self._queue.put(piece, timeout=_PATIENCE_S)
            except Full:
                continue
            return
