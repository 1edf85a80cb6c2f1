"""Dialogues that the archive does not know.

Discomforts made here (standard, first table):
  1. strays: dialogues of the legacy era that were never archived (`lose_talk`);
  4. dialogues known to active_sessions_v2 alone, still open or forgotten (`leave_open`).
"""

from . import dialogues
from .people import Client
from .phrases import HELLO
from .reception import Reception
from .records import OpenSession


def lose_talk(reception: Reception, client: Client, day: int) -> None:
    """A dialogue of the legacy era that nobody archived."""
    script = reception.script(client, (client.favourite,), client.staff, reception.any_slot(day))
    dialogues.ask(script)
    reception.speak(client, day, reception.second_of(), script, stray=True)


def leave_open(reception: Reception, client: Client, day: int, second: int) -> OpenSession:
    """A dialogue that active_sessions_v2 knows and the archive does not."""
    script = reception.script(client, (client.favourite,), client.staff, reception.any_slot(day))
    dialogues.give_up(script, hello=HELLO, stage=dialogues.STAFF_STAGE, wish=False)
    del script.lines[7:]
    spoken = reception.speak(client, day, second, script)
    return OpenSession(spoken.id, client, spoken.channel, spoken.started, spoken.last, dialogues.STAFF_STAGE)
