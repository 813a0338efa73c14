"""Each measurement in a process of its own: what ran before costs it neither memory nor warm caches of Python."""

import resource
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Final, Generic, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_STATUS: Final = Path("/proc/self/status")


@dataclass(frozen=True, slots=True)
class Measured(Generic[T]):
    """What a task returned, and the most memory (resident, in megabytes of 10**6 bytes) that its process had."""

    result: T
    peak_mb: float


def in_child(task: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Measured[T]:
    """Run a task of a module in a fresh Python; what it raises is raised here."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return Measured(pool.submit(task, *args, **kwargs).result(), pool.submit(peak_mb).result())


def peak_mb() -> float:
    """Return this process's high-water mark of resident memory."""
    if _STATUS.exists():
        # Not `ru_maxrss`: on Linux a child begins with what its parent had.
        line = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024 / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6
