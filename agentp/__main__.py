"""`python -m agentp` is `agentp`."""

from agentp.cli import main

main()
