"""Pieces of SQL conditions that never raise, whatever a row holds."""

from __future__ import annotations

TOLERANCE = "interval '5 minutes'"
"""How far the bot's clock may run ahead of the database's before a time counts as future."""


def is_blank(column: str) -> str:
    """NULL, or nothing but white space."""
    # A pattern takes 250 million signs: what stands behind so many blanks is no text of anybody's.
    return f"({column} is null or left({column}, 1000) !~ '\\S')"


def is_longer(column: str, longest: int) -> str:
    """More signs than the marts keep (macro `bounded`); bytes are known without reading them."""
    return f"(octet_length({column}) > {longest} and length({column}) > {longest})"


def is_late(column: str) -> str:
    """Later than the moment of the check (REQUIREMENTS B3: no timestamp in the future)."""
    return f"({column} > run.present + {TOLERANCE})"


def is_object(column: str) -> str:
    """A JSON object; false for NULL."""
    return f"(jsonb_typeof({column}) is not distinct from 'object')"


def is_not_a(column: str, path: str, data_type: str) -> str:
    """The value at a dotted path is missing or not of a JSON type."""
    return f"(jsonb_typeof({column} #> '{{{path.replace('.', ',')}}}') is distinct from '{data_type}')"


def is_set(column: str, key: str) -> str:
    """The key is there and not JSON null."""
    return f"(jsonb_typeof({column} -> '{key}') <> 'null')"


def is_unknown(column: str, *values: str) -> str:
    """Set, and none of the values."""
    listed = ", ".join(f"'{value}'" for value in values)
    return f"({column} not in ({listed}))"


def is_no_date(text: str) -> str:
    """The text is no calendar day YYYY-MM-DD: 2025-02-30 is none."""
    days_of_month = (
        f"extract(day from make_date(substr({text}, 1, 4)::int, substr({text}, 6, 2)::int, 1)"
        " + interval '1 month' - interval '1 day')"
    )
    # \d would let through the digits of all scripts, where the database's collation knows them; casts do not.
    return (
        f"(case when left({text}, 100) ~ '^(?!0000)[0-9]{{4}}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$'"
        f" then substr({text}, 9, 2)::int > {days_of_month} else true end)"
    )


def is_no_moment(text: str) -> str:
    """The text is no day and time such as 2025-01-15T10:00:00, with or without an offset."""
    clock = "([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\\.[0-9]+)?)?(Z|[+-][0-9]{2}(:?[0-9]{2})?)?"
    return f"(left({text}, 100) !~ '^.{{10}}[T ]{clock}$' or {is_no_date(f'left({text}, 10)')})"
