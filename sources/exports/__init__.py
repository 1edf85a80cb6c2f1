"""Exports of the raw tables: a folder of CSV and JSON Lines files, loaded as a whole or not at all."""

from sources.exports.loading import LoadReport, TableLoad, load_exports

__all__ = ["LoadReport", "TableLoad", "load_exports"]
