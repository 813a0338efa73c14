"""
Numbers about orders, kept in step with them.

    delta     what a change of one order does to the kept figures: every writing unit applies it
    model     figures, stretches of time, and the answers
    service   the questions
    ports     what is asked of storage

Not here: how the figures are stored, and how a door prints them.
"""
