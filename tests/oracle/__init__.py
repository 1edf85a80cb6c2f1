"""The marts a second time, in plain Python, from the definitions alone: what the builds are held against."""
