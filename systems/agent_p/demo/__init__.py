"""A deterministic demo chain of salons, written as a folder of table exports (requirement A5)."""

from .folder import DEMO_LAST_DAY, DemoSummary, write_demo

__all__ = ["DEMO_LAST_DAY", "DemoSummary", "write_demo"]
