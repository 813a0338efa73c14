"""
The application for any ASGI server: `uvicorn ordermill.asgi:app`. Settings come from the environment and `.env`.

`ordermill serve` is the same with a server that fits it. Other servers are told their limits themselves: see
docs/operations.md.
"""

from ordermill.api.app import create_app
from ordermill.config import load

app = create_app(load(), create=True)
