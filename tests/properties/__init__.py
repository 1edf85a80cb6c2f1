"""Whatever the raw data and however it came, the marts are those that the oracle works out."""
