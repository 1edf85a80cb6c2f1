"""Shows marts to people: a site of files, spreadsheets, exports and a digest."""
