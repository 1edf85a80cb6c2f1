"""The bots' data standard as Great Expectations suites, and the gate that runs them before every build."""
