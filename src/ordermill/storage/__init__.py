"""
SQLAlchemy lives here, and everything that knows a database.

    tables          classes whose `__table__` is taken from the Django models
    database        what a database can do for us: `read` and `write`, each one function in one transaction
    sqlite          one writer thread that groups commits, readers beside it
    postgres        asyncpg under SQLAlchemy
    unit            a unit of work: reads are awaited, changes gathered, commit is one write
    repositories/   one per entity
    bulk/           imports: whole batches of columns
    memory/         the same ports without a database
"""
