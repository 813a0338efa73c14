"""
Looking after the book.

    audit     recomputes what spans rows and reports every difference
    rules     what must hold across rows
    doctor    checks what the book stands on: settings, database, file system, clock, cache
    checks    what the doctor makes of each fact
    machine   what the operating system tells of a file
    ports     what is asked of storage

Not here: repairing anything, except that `statistics` can rebuild its own figures.
"""
