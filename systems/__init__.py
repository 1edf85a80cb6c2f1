"""The source systems: what is of one of them stands in its folder, and engines ask its declaration."""
