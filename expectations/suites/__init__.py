"""The suites: one file a raw table, each a pure function."""
