"""Tools for those who work on this project; nothing that runs for its users imports them."""
