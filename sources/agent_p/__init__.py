"""Agent P, the booking bot: its raw tables and their migrations (seeds 01 and 02)."""
