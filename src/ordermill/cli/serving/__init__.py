"""
How `ordermill serve` runs the application: uvicorn with limits of our own, one process or several on one socket.

    server        one process from its start to its end in order
    connections   how long and how large a request's header may be
    workers       several processes, begun again when they die
    worker        what each of them runs

The application is named by its import string, as any ASGI server does: the terminal does not know the API.
"""
