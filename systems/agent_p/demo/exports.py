"""Files as Supabase exports them: CSV with a header, NULL an empty unquoted field, gzip.

The text of a file depends on the arguments alone. So do its compressed bytes, as long as the machines
share a zlib; no name and no time goes into the gzip header.
"""

import gzip
import json
from pathlib import Path
from types import TracebackType
from typing import Self

from .zones import DAY, name_day

COLUMNS = {
    "tenants_v2": "id,name,slug,is_active,metadata,created_at,updated_at",
    "clients_v2": (
        "id,tenant_id,telegram_chat_id,whatsapp_id,phone,yclients_client_id,full_name,meta,created_at,updated_at"
    ),
    "active_sessions_v2": "session_id,tenant_id,user_id,channel,started_at,last_activity_at,state",
    "conversation_sessions_v2": (
        "id,session_id,tenant_id,user_id,channel,started_at,ended_at,duration_sec,final_status,final_intent,"
        "final_summary,booking_id,booking_source,booking_status,booking_datetime,booking_amount,booking_currency,"
        "messages_count,agent_messages_count,user_messages_count,meta,created_at"
    ),
    "recent_history_v2": "id,tenant_id,user_id,session_id,role,channel,message,meta,created_at",
    "wishlist_v2": (
        "id,tenant_id,user_id,item_type,item_id,source,comment,meta,created_at,updated_at,status,processed_at,amount"
    ),
    "user_ltm_v2": (
        "user_id,tenant_id,preferred_staff_id,ltm_data,last_visit_date,avg_visit_interval,churn_risk_score"
    ),
}
_BATCH = 2_000
_CLOCK = tuple(f" {at // 3600:02}:{at // 60 % 60:02}:{at % 60:02}+00" for at in range(DAY))
_DATES: dict[int, str] = {}

Value = str | int | float | bool | None


def format_instant(at: int) -> str:
    """Epoch seconds as `2026-10-31 12:00:00+00`."""
    number = at // DAY
    text = _DATES.get(number)
    if text is None:
        text = _DATES[number] = name_day(number).isoformat()
    return text + _CLOCK[at % DAY]


def format_json(value: object) -> str:
    """JSON as text, letters as they are."""
    return json.dumps(value, ensure_ascii=False)


def quote(text: str) -> str:
    """Text as a quoted field."""
    return '"' + text.replace('"', '""') + '"' if '"' in text else f'"{text}"'


def join_row(values: tuple[Value, ...]) -> str:
    """One line of a file; only text that needs it is quoted."""
    fields = []
    for value in values:
        if value is None:
            fields.append("")
        elif value is True or value is False:
            fields.append("true" if value else "false")
        else:
            text = str(value)
            special = not text or '"' in text or "," in text or "\n" in text
            fields.append(quote(text) if special else text)
    return ",".join(fields) + "\n"


class TableFile:
    """One `<table>.csv.gz`, written in batches; `count` rows so far."""

    def __init__(self, folder: Path, table: str) -> None:
        self.count = 0
        self._raw = (folder / f"{table}.csv.gz").open("wb")
        self._zip = gzip.GzipFile(filename="", mode="wb", compresslevel=1, fileobj=self._raw, mtime=0)
        self._lines = [COLUMNS[table] + "\n"]

    def write(self, line: str) -> None:
        """Add one line, made by `join_row` or by hand."""
        self.count += 1
        self._lines.append(line)
        if len(self._lines) >= _BATCH:
            self._flush()

    def _flush(self) -> None:
        self._zip.write("".join(self._lines).encode())
        self._lines.clear()

    def close(self) -> None:
        """Write what is left."""
        self._flush()
        self._zip.close()
        self._raw.close()


class Export:
    """All the files of a folder, open at once."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.tables = {table: TableFile(folder, table) for table in COLUMNS}

    def __getitem__(self, table: str) -> TableFile:
        return self.tables[table]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for table in self.tables.values():
            table.close()
