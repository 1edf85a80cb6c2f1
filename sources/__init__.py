"""Where raw data comes from: one folder a source system, the loader of exports, the demo chain."""
