"""
The same ports without a database: for tests, dry experiments and small uses. Nothing outlives the process.

    storage   `MemoryStorage`: units, imports, and the one lock
    book      everything that is kept, as rows of the schema's own columns
    table     rows by key, unique by whatever else must be
    checks    what the schema's CHECK and foreign key constraints refuse
    users, orders, movements, events, imports
              one per port
    loading   a batch of an import into the book; the decisions are `storage.bulk`'s
"""

from ordermill.storage.memory.storage import MemoryStorage, MemoryUnit

__all__ = ["MemoryStorage", "MemoryUnit"]
