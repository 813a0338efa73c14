"""`python -m ordermill`."""

from ordermill.cli import main

main()
