"""Agent P Analytics: the command line, the settings and the database connection."""
