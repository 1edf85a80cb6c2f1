"""What bots, people and other programs may leave in JSON columns and times; and what the standard makes of the JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from hypothesis import strategies as st

ZONE = "Europe/Moscow"
STAGES = ("service_selection", "staff_selection", "time_selection")
GOOD_TEXTS = (
    "21:00", "24:00", "2026-02-28", "2026-02-30", "2024-02-29", "0000-01-01", "9999-12-31", "2026-02-28\n",
    "٢٠٢٦-٠٢-٢٨", "2026-02-28T10:00:00", "2026-02-28 10:00", "2026-02-28T10:00:00.5+03:00", "2026-02-30T10:00",
    "2026-02-28T25:00", "2026-W09-6T10:00", ZONE, "Mars/Base", "morning", "night", *STAGES, "payment", "", " ", "NaN",
    "-Infinity", "1e400", "null", "true", "4844805", "'; drop table clients_v2; --", '"', "\\", "{}", "🦄 \u202e \x01",
)  # fmt: skip
KEYS = (
    "yclients", "company_id", "branch_id", "user_token", "telegram", "admin_chat_id", "settings", "closing_time",
    "enable_gap_filtering", "timezone", "drop_off_stage", "services_selected", "staff_id", "selected_datetime", "date",
    "service_id", "service_title", "staff_name", "client_name", "client_phone", "time_preference", "it's", 'say "x"',
    "", "$.x", "{a,b}", "drop_off_stage ",
)  # fmt: skip
TEXTS = (
    "null", "[]", "{}", "3", '"text"', "true", "-0", "1e400", "-1e-400", '{"settings": null}', '{"settings": []}',
    '{"settings": [{"timezone": "UTC"}]}', '{"settings": {"timezone": null}}', '{"settings": {"timezone": {}}}',
    '{"settings": {"timezone": "UTC", "timezone": 5}}', '{"yclients": "x", "telegram": 1, "settings": true}',
    '{"yclients": {"company_id": "1", "branch_id": "2", "user_token": ""}}',
    '{"settings": {"closing_time": "21:00", "enable_gap_filtering": "true"}}',
    '{"drop_off_stage": "time_selection", "drop_off_stage": null}', '{"drop_off_stage": ["staff_selection"]}',
    '{"services_selected": [["25601439"]]}', '{"services_selected": [[]]}', '{"services_selected": ["1", {"id": 2}]}',
    '{"services_selected": []}', '{"services_selected": {"0": "1"}}', '{"staff_id": 4844805}', '{"staff_id": 1e400}',
    '{"selected_datetime": 1736935200}', '{"date": 20260228, "service_id": "1"}',
    r'{"date": "\ud83d\ude00", "service_id": "\u0001"}', r'{"staff_id": "\ud83d"}', r'{"staff_id": "\u0000"}',
    '{"a": ' * 500 + "1" + "}" * 500, "[" * 500 + "]" * 500, '{"services_selected": ' + "[" * 400 + "]" * 400 + "}",
    '{"staff_id": "' + "9" * 1_000_000 + '"}', '{"date": "' + "2026-02-28" * 100_000 + '", "service_id": "1"}',
    '{"drop_off_stage": "' + "x" * 1_000_000 + '"}', '{"settings": {"timezone": "' + "x" * 1_000_000 + '"}}',
    '{"services_selected": [' + '"1", ' * 50_000 + "2]}", '{"n": ' + "9" * 5_000 + "}", '{"it\'s": "\\"", "$": "$"}',
)  # fmt: skip
"""JSON as it comes over the wire; Postgres refuses some."""
MOMENTS = (
    "-infinity", "4714-11-24 00:00+00 BC", "4713-01-01 00:00+00 BC", "0001-01-01 00:00+00", "1970-01-01 00:00+00",
    "2026-02-10 10:00+00", "9999-12-31 23:59:59.999999+00", "294276-12-30 00:00+00", "294276-12-31 23:59:59+00",
    "infinity", None,
)  # fmt: skip
AMOUNTS = ("NaN", "Infinity", "-Infinity", "-0.01", "0", "1e1000", "0." + "0" * 500 + "1", None)
INTEGERS = (-(2**31), -1, 0, 1200, 2**31 - 1, None)


def json_texts() -> st.SearchStrategy[str]:
    """Draw JSON whose keys are mostly those of the standard and whose values are mostly not."""
    words = st.sampled_from(GOOD_TEXTS) | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
    leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | words
    keys = st.sampled_from(KEYS)
    values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=5))
    documents = st.dictionaries(keys, values, max_size=12)
    settings = st.fixed_dictionaries({"settings": st.dictionaries(keys, leaves, max_size=6)})
    return (documents | documents | settings | values).map(json.dumps)


def is_text(value: Any) -> bool:
    """Whether a value is a JSON string."""
    return isinstance(value, str)


def look_up(document: Any, *path: str) -> Any:
    """Return the value at a path through objects, None where there is none."""
    for key in path:
        document = document.get(key) if isinstance(document, dict) else None
    return document


def is_day(text: str) -> bool:
    """Whether a text is a calendar day."""
    return bool(re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", text)) and _can_parse(text, "%Y-%m-%d")


def is_moment(text: str) -> bool:
    """Whether a text is a day and a time of day."""
    offset = "(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)?"
    found = re.fullmatch(rf"(.{{10}})[T ]([0-9:]{{5,8}})(?:\.[0-9]+)?{offset}", text, re.DOTALL)
    return bool(found and is_day(found[1]) and any(_can_parse(found[2], form) for form in ("%H:%M", "%H:%M:%S")))


def _can_parse(text: str, form: str) -> bool:
    try:
        datetime.strptime(text, form)  # noqa: DTZ007
    except ValueError:
        return False
    return True


def is_wrong(value: Any, is_right: Callable[[Any], bool]) -> bool:
    """Whether a value that may be left out is there and not right."""
    return value is not None and not is_right(value)


def find_broken_by_metadata(document: Any) -> set[str]:
    """Return the rules that a salon's metadata breaks."""
    closing_time = look_up(document, "settings", "closing_time")
    broken = {
        "metadata_is_object": not isinstance(document, dict),
        "yclients_complete": not all(
            is_text(look_up(document, "yclients", key)) for key in ("company_id", "branch_id", "user_token")
        ),
        "telegram_complete": not is_text(look_up(document, "telegram", "admin_chat_id")),
        "settings_complete": not is_text(closing_time)
        or not isinstance(look_up(document, "settings", "enable_gap_filtering"), bool),
        "closing_time_readable": is_text(closing_time)
        and not re.fullmatch("([01][0-9]|2[0-3]):[0-5][0-9]", closing_time),
        "timezone_known": is_wrong(look_up(document, "settings", "timezone"), lambda zone: zone in (ZONE, "UTC")),
    }
    return {f"tenants.{rule}" for rule, is_broken in broken.items() if is_broken}


def find_broken_by_session_meta(document: Any) -> set[str]:
    """Return the rules that the meta of a session breaks that was closed without a booking."""
    stage = look_up(document, "drop_off_stage")
    broken = {
        "meta_is_object": not isinstance(document, dict),
        "drop_off_stage_known": is_wrong(stage, lambda value: value in STAGES),
        "drop_off_stage_filled": isinstance(document, dict) and stage is None,
        "services_selected_is_list": is_wrong(
            look_up(document, "services_selected"),
            lambda value: isinstance(value, list) and all(map(is_text, value)),
        ),
        "staff_id_is_text": is_wrong(look_up(document, "staff_id"), is_text),
        "selected_datetime_readable": is_wrong(
            look_up(document, "selected_datetime"), lambda value: is_text(value) and is_moment(value)
        ),
    }
    return {f"sessions.{rule}" for rule, is_broken in broken.items() if is_broken}


def find_broken_by_wish_meta(document: Any) -> set[str]:
    """Return the rules that a wish's meta breaks."""
    date, preference = look_up(document, "date"), look_up(document, "time_preference")
    texts = ("service_title", "staff_id", "staff_name", "client_name", "client_phone")
    broken = {
        "meta_is_object": not isinstance(document, dict),
        "slot_described": not is_text(date) or not is_text(look_up(document, "service_id")),
        "date_readable": is_text(date) and not is_day(date),
        "time_preference_known": is_wrong(preference, lambda value: value in ("morning", "afternoon", "evening")),
        "texts_are_text": any(is_wrong(look_up(document, key), is_text) for key in texts),
    }
    return {f"wishes.{rule}" for rule, is_broken in broken.items() if is_broken}


def find_broken(document: Any) -> set[str]:
    """Return all the rules that a document breaks in every JSON column of a salon's rows."""
    objects = ("clients.meta_is_object", "messages.meta_is_object", "memories.data_is_object")
    return {
        *(() if isinstance(document, dict) else objects),
        *find_broken_by_metadata(document),
        *find_broken_by_session_meta(document),
        *find_broken_by_wish_meta(document),
    }
