"""Messages and sessions on their way to the files, in the order of time.

Holds back only what can still change: messages of the last local day, sessions whose booking is still ahead.

Discomforts made here (first table of the standard):
  1. the oldest messages of the chain, `LEGACY_MESSAGES` of them, have no session_id;
  4. a few archived sessions were never removed from active_sessions_v2;
  5. the sessions that started in that era are all `auto_closed`.
"""

from collections import deque

from .exports import Export, format_instant, quote
from .records import OpenSession, Session
from .rows import write_session
from .zones import DAY

LEGACY_MESSAGES = 3_091
LEGACY_PERCENT = 35
# Below this many sessions the legacy era may be 35 % of the messages, known only once all are there.
SMALL = 1_500

# instant, order of birth, tenant and client, session, the rest of the line, stray
Message = tuple[int, int, str, str, str, bool]


class Archive:
    """Takes dialogues in any order within a day and writes rows whose ids grow with time.

    A message's id grows with its created_at, a session's with the instant it was archived.
    """

    def __init__(self, export: Export, *, sessions: int, known_until: int) -> None:
        self._history = export["recent_history_v2"]
        self._table = export["conversation_sessions_v2"]
        self._known_until = known_until
        self._keep_all = sessions < SMALL
        self._limit = LEGACY_MESSAGES
        self._messages: list[Message] = []
        self._fresh: list[Session] = []
        self._queue: deque[Session] = deque()
        self._births = 0
        self._unlinked = 0
        # One in this many archived sessions stays in active_sessions_v2 as well.
        self._every = max(40, sessions // 6)
        self.not_removed: list[OpenSession] = []
        self.legacy_end: int | None = None

    @property
    def messages(self) -> int:
        """Messages taken so far, written or not."""
        return self._births

    def in_legacy(self, at: int) -> bool:
        """Whether an instant lies in the era without session_id, as far as it is known."""
        return self.legacy_end is None or at <= self.legacy_end

    def add_lines(
        self,
        *,
        head: str,
        session_id: str,
        channel: str,
        lines: list[tuple[bool, str]],
        times: list[int],
        stray: bool,
    ) -> None:
        """One dialogue; `head` is its tenant and client as they stand in the row."""
        number = self._births
        take = self._messages.append
        for (client, text), at in zip(lines, times, strict=True):
            role = "user" if client else "assistant"
            tail = f",{role},{channel},{quote(text)},{{}},{format_instant(at)}\n"
            take((at, number, head, session_id, tail, stray))
            number += 1
        self._births = number

    def add_session(self, session: Session) -> None:
        """One archived session, once its messages are in."""
        self._fresh.append(session)

    def release(self, before: int) -> None:
        """Write what is older than `before` and settled; nothing older will be added after this."""
        if self._keep_all:
            return
        self._write_messages(before)
        self._write_sessions(before)

    def close(self) -> None:
        """Write all the rest."""
        if self._keep_all:
            self._limit = self._measure_legacy()
            if self._limit == 0:
                self.legacy_end = 0
        end = self._known_until + 400 * DAY
        self._write_messages(end)
        self._write_sessions(end)

    def _measure_legacy(self) -> int:
        """The largest number of legacy messages that is no more than 35 % of what will be written.

        Strays after the era are dropped, so the total depends on the answer: step up to the fixed point.
        """
        self._messages.sort()
        kept = sum(not message[5] for message in self._messages)
        limit = -1
        wanted = min(LEGACY_MESSAGES, kept * LEGACY_PERCENT // 100)
        while wanted != limit:
            limit = wanted
            strays = sum(message[5] for message in self._messages[:limit])
            wanted = min(LEGACY_MESSAGES, (kept + strays) * LEGACY_PERCENT // 100)
        return limit

    def _write_messages(self, before: int) -> None:
        messages = self._messages
        messages.sort()
        cut = len(messages)
        while cut and messages[cut - 1][0] >= before:
            cut -= 1
        history = self._history
        for at, _, head, session_id, tail, stray in messages[:cut]:
            if self._unlinked < self._limit:
                self._unlinked += 1
                session_id = ""
                if self._unlinked == self._limit:
                    self.legacy_end = at
            elif stray:
                continue
            history.write(f"{history.count + 1},{head}{session_id}{tail}")
        del messages[:cut]

    def _write_sessions(self, before: int) -> None:
        self._fresh.sort(key=lambda session: session.closed)
        cut = 0
        while cut < len(self._fresh) and self._fresh[cut].closed < before:
            cut += 1
        self._queue.extend(self._fresh[:cut])
        del self._fresh[:cut]
        queue, table = self._queue, self._table
        while queue and self._is_settled(queue[0], before):
            session = queue.popleft()
            line = write_session(
                table.count + 1,
                session,
                legacy=self.in_legacy(session.started),
                known_until=self._known_until,
            )
            table.write(line)
            if table.count % self._every == 0:
                self.not_removed.append(OpenSession.left_behind(session))

    @staticmethod
    def _is_settled(session: Session, before: int) -> bool:
        booking = session.booking
        return booking is None or booking.cancelled or booking.starts < before
