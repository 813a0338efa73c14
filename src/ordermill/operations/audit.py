"""
Recomputes everything that could be wrong although each row is right, and reports what differs. It changes nothing.

What one row can show is refused by the database itself (CHECK constraints); what is asked here of single rows
finds a book whose constraints were switched off.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ordermill.operations.ports import AuditStore, Example
from ordermill.operations.rules import Rule

# Enough to see what went wrong; the count says how often.
EXAMPLES: Final = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that does not hold: how often, and the first examples."""

    rule: Rule
    count: int
    examples: list[Example]


class Audit:
    """Asks every rule of the whole book, one after the other."""

    def __init__(self, store: AuditStore) -> None:
        self._store = store

    async def run(self, *, progress: Callable[[Rule, int, int], None] | None = None) -> list[Finding]:
        """
        Return what does not hold; an empty list is the only good answer.

        Each rule sees the book as of one moment, so the book may be in use meanwhile.

        Args:
            progress: told before each rule: the rule, how many are done, how many there are.

        Raises:
            Unavailable: the database could not be asked.
        """
        findings = []
        for done, rule in enumerate(Rule):
            if progress is not None:
                progress(rule, done, len(Rule))
            breaches = await self._store.breaches(rule, examples=EXAMPLES)
            if breaches.count:
                findings.append(Finding(rule, breaches.count, breaches.examples))
        return findings
