"""
What the book knows of one person: handed out on request, and forgotten on request, for good.

    mentions   which addresses a text holds, however it is delimited
    model      what is handed out of a person, and what takes the place of what was erased
    ports      what is asked of storage
    document   a person's data as one JSON document, in pieces
    service    the use cases

Not here: how an import is kept from bringing a person back (storage/erased.py, storage/bulk/forgotten.py).
"""
