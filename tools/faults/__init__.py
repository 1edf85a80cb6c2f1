"""Faults that the tests should notice, planted one at a time: `python -m tools.faults`.

So that the test suite can be rebuilt without getting weaker: what was caught before has to be caught after. The faults
stand in `catalogue/`, one file a room; each is what a developer could have written, and wrong by the project's own
definitions. A fault names the files or folders of tests that should notice, never single tests, which may be renamed.
"""
