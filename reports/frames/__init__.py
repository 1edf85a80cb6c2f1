"""Marts in, frames of a page out: pure functions, each with golden figures in the tests."""
