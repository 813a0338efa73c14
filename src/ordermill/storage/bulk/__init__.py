"""
Whole batches of an import, as columns: no object per order.

    plan       which orders are new, changed, unchanged or not the same order at all; pure
    rows       the frames of a batch become frames of table rows; pure
    outcome    what became of a batch, in numbers; pure
    recorded   what was recorded here of a changed order's money stands; pure
    figures    what a batch does to the statistics; pure
    frames     a frame into a table: COPY on PostgreSQL, executemany on SQLite
    changes    orders that a newer export changed
    versions   what such a change overwrites, kept and put back; the one part that needs no frames
    forgotten  of buyers who were erased nothing is taken over
    customers  accounts for the e-mails of a batch
    loader     the order in which these happen, in one transaction
"""
