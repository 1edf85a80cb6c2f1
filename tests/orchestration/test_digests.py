"""Who gets which digest when, how often, and what happens when nobody takes it; the receivers are real ones."""

from __future__ import annotations

import base64
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from apprise.plugins.telegram import NotifyTelegram
from psycopg.conninfo import conninfo_to_dict
from pydantic import SecretStr

from agentp.database import open_connection
from agentp.settings import Settings
from orchestration import digests
from orchestration.alerts import Receiver, tell_receivers
from orchestration.digests import DigestReport, Due, find_due, find_last_day, send_digests
from orchestration.problems import find_problems
from orchestration.subscribers import Subscriber, address_receivers, read_subscribers
from tests.agentp.conftest import RunCommand
from tests.agentp.conftest import run_command as run_command
from tests.orchestration.receivers import Webhook, open_webhook
from tests.support.jobs import run_job
from tests.support.marts import Workshop, make_id

ROOT = Path(__file__).resolve().parents[2]
SALONS = {
    "salon": ("Europe/Moscow", {"digest": "daily"}),
    "far": ("Asia/Vladivostok", {"digest": "both"}),
    "west": ("America/New_York", {"digest": "weekly", "language": "en"}),
    "quiet": ("Europe/Moscow", {}),
    "odd": ("Europe/Moscow", {"digest": "hourly"}),
    "closed": ("Europe/Moscow", {"digest": "both"}),
}
FIRST_DAY, DAYS = date(2026, 2, 9), 36
"""Six weeks from a Monday to Monday, 16 March; clocks in New York go forward on 8 March."""
MOSCOW_NINE = "2026-03-12T06:00+00:00"


@pytest.fixture(scope="module")
def built(make_database: Callable[[str | None], str], built_template: str, home: Path) -> str:
    """The name of a database with marts of six weeks, two dialogs a day, one with a booking."""
    url = make_database(built_template)
    workshop = Workshop(url=url, settings=Settings(home=home, database_url=url))
    sessions = []
    for name, (timezone, settings) in SALONS.items():
        metadata = {"settings": {"timezone": timezone, **settings}, "telegram": {"admin_chat_id": f"-100{len(name)}"}}
        workshop.add_tenant(name, slug=f"{name}-slug", is_active=name != "closed", metadata=metadata)
        workshop.add_client(name, f"{name} client")
        for number in range(DAYS):
            start = datetime.fromisoformat(f"{FIRST_DAY + timedelta(days=number)} 06:00+00:00")
            booking = {
                "booking_id": f"{name}-{number}", "booking_source": "bot", "booking_status": "confirmed",
                "booking_datetime": start + timedelta(days=60), "booking_amount": 1500, "booking_currency": "RUB",
            }  # fmt: skip
            sessions += [
                {
                    "session_id": make_id(f"{name} {number} {half}"), "tenant_id": make_id(name),
                    "user_id": make_id(f"{name} client"), "channel": "telegram", "final_status": "auto_closed",
                    "started_at": start + timedelta(hours=half), "ended_at": start + timedelta(hours=half, minutes=9),
                    **(booking if half else {}),
                }
                for half in (0, 1)
            ]  # fmt: skip
    by_columns: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in sessions:
        by_columns.setdefault(tuple(row), []).append(row)
    for rows in by_columns.values():
        workshop.insert("conversation_sessions_v2", rows)
    workshop.build(as_of="2026-03-16")
    return str(conninfo_to_dict(url)["dbname"])


@pytest.fixture
def chain(open_database: Callable[[str | None], str], built: str, home: Path) -> Workshop:
    """A database of a test's own with those marts."""
    url = open_database(built)
    return Workshop(url=url, settings=Settings(home=home, database_url=url))


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    """A receiver that listens."""
    with open_webhook() as opened:
        yield opened


def send(chain: Workshop, urls: str, present: str, **options: Any) -> DigestReport:
    settings = chain.settings.model_copy(update={"digests": SecretStr(urls)})
    return send_digests(chain.url, settings, present=datetime.fromisoformat(present), **options)


def read_ledger(chain: Workshop, name: str) -> list[tuple[str, str, str]]:
    rows = chain.execute(
        "select kind, day, outcome from quality.digests where tenant_id = %s order by day, kind", [make_id(name)]
    )
    return [(row["kind"], row["day"].isoformat(), row["outcome"]) for row in rows]


def find_digest_problems(chain: Workshop, present: str) -> list[str]:
    with open_connection(chain.url) as connection:
        found = find_problems(connection, present=datetime.fromisoformat(present), stale_after=timedelta(days=999))
    return [problem.title for problem in found if problem.kind == "digest"]


def test_a_digest_is_sent_once_with_its_picture(chain: Workshop, webhook: Webhook) -> None:
    url = f"{webhook.url}salon?to={{slug}}"
    assert [send(chain, url, MOSCOW_NINE, salon="salon").sent for _ in range(3)] == [1, 0, 0]
    ((_, post),) = webhook.posts
    assert (post["title"], post["type"]) == ("salon: среда, 11 марта", "info")
    assert post["message"].startswith(
        "Диалоги: 2 (неделю назад 2)\nХотели записаться и записались: 1 из 1 (неделю назад 1 из 1)\n"
    )
    assert "Записались на 1 500 ₽ (неделю назад 1 500 ₽)" in post["message"].replace("\u00a0", " ")
    (picture,) = post["attachments"]
    assert picture["mimetype"] == "image/png"
    assert base64.b64decode(picture["base64"])[:4] == b"\x89PNG"
    assert read_ledger(chain, "salon") == [("daily", "2026-03-11", "sent")]


def test_only_active_salons_that_asked_for_it_get_what_they_asked_for(chain: Workshop, webhook: Webhook) -> None:
    # Monday, 9 March, past nine in New York and not yet Tuesday in Vladivostok.
    report = send(chain, f"{webhook.url}{{slug}}", "2026-03-09T13:30+00:00")
    assert (report.sent, report.failures) == (4, ())
    assert sorted((path.strip("/"), post["title"]) for path, post in webhook.posts) == [
        ("far-slug", "far: воскресенье, 8 марта"),
        ("far-slug", "far: неделя 2–8 мар."),
        ("salon-slug", "salon: воскресенье, 8 марта"),
        ("west-slug", "west: the week Mar 2\u2009–\u20098"),
    ]


def test_four_at_once_send_it_once(chain: Workshop, webhook: Webhook) -> None:
    webhook.seconds = 0.5
    with ThreadPoolExecutor(4) as pool:
        reports = list(pool.map(lambda _: send(chain, webhook.url, MOSCOW_NINE), range(4)))
    assert sum(report.sent for report in reports) == 2
    assert sorted(webhook.titles) == ["far: среда, 11 марта", "salon: среда, 11 марта"]


def test_two_processes_send_it_once(chain: Workshop, webhook: Webhook) -> None:
    webhook.seconds = 1
    program = (
        "import sys; from datetime import datetime; from pydantic import SecretStr\n"
        "from agentp.settings import Settings; from orchestration.digests import send_digests\n"
        "import reports.digests, altair, vl_convert, apprise\n"
        "settings = Settings(database_url=sys.argv[1], digests=SecretStr(sys.argv[2]))\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "print(send_digests(sys.argv[1], settings, present=datetime.fromisoformat(sys.argv[3])).sent)"
    )
    arguments = [sys.executable, "-c", program, chain.url, webhook.url, MOSCOW_NINE]
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": ROOT}
    with subprocess.Popen(arguments, **pipes) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "ready\n"
        assert other.stdin is not None
        other.stdin.write("go\n")
        other.stdin.flush()
        sent = send(chain, webhook.url, MOSCOW_NINE).sent
        assert sent + int(other.communicate(timeout=60)[0]) == 2
    assert sorted(webhook.titles) == ["far: среда, 11 марта", "salon: среда, 11 марта"]


def test_a_receiver_that_refuses_is_that_salons_problem_and_is_tried_again(chain: Workshop, webhook: Webhook) -> None:
    webhook.refused = {"/salon-slug"}
    report = send(chain, f"{webhook.url}{{slug}}", MOSCOW_NINE)
    assert report.sent == 1
    assert [str(failure) for failure in report.failures] == [
        "salon: Receiver 1 of 1 in AGENTP_DIGESTS (json) did not take the message: it answered 403. "
        "Correct AGENTP_DIGESTS or mend the receiver; what nobody has taken is told next time."
    ]
    assert read_ledger(chain, "salon") == [("daily", "2026-03-11", "failed")]
    assert find_digest_problems(chain, MOSCOW_NINE) == ["salon did not get its daily digest"]
    webhook.refused.clear()
    assert [send(chain, f"{webhook.url}{{slug}}", "2026-03-12T09:00+00:00").sent for _ in range(2)] == [1, 0]
    assert read_ledger(chain, "salon") == [("daily", "2026-03-11", "sent")]
    assert find_digest_problems(chain, MOSCOW_NINE) == []
    assert len(webhook.posts) == 2


def test_a_dead_receiver_does_not_make_the_others_get_it_twice(chain: Workshop, webhook: Webhook) -> None:
    urls = f"json://127.0.0.1:1/ {webhook.url}"
    report = send(chain, urls, MOSCOW_NINE, salon="salon")
    assert (report.sent, len(report.failures)) == (1, 1)
    assert send(chain, urls, MOSCOW_NINE, salon="salon") == DigestReport()


def test_figures_that_cannot_be_composed_keep_nothing_from_other_salons(
    chain: Workshop, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    from reports import digests as composing

    compose = composing.compose_digest

    def fail_for_far(facts: Any) -> Any:
        if facts.salon == "far":
            raise ValueError("+7 999 123-45-67")
        return compose(facts)

    monkeypatch.setattr(composing, "compose_digest", fail_for_far)
    report = send(chain, webhook.url, MOSCOW_NINE)
    assert webhook.titles == ["salon: среда, 11 марта"]
    assert [failure.message for failure in report.failures] == [
        "The daily digest of far could not be composed: ValueError."
    ]


def test_who_dies_between_sending_and_marking_makes_it_sent_again(
    chain: Workshop, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    def send_and_die(*arguments: Any) -> None:
        tell_receivers(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(digests, "tell_receivers", send_and_die)
        with pytest.raises(KeyboardInterrupt):
            send(chain, webhook.url, MOSCOW_NINE, salon="salon")
    assert read_ledger(chain, "salon") == [("daily", "2026-03-11", "taken")]
    assert [send(chain, webhook.url, MOSCOW_NINE, salon="salon").sent for _ in range(2)] == [1, 0]
    assert len(webhook.posts) == 2


def test_a_day_that_is_not_final_is_waited_for(chain: Workshop, webhook: Webhook) -> None:
    chain.execute("update dashboard.metrics_dailies set is_final = false where day = '2026-03-11'")
    assert send(chain, webhook.url, MOSCOW_NINE, salon="salon") == DigestReport(waiting=1)
    assert read_ledger(chain, "salon") == []
    chain.execute("update dashboard.metrics_dailies set is_final = true where day = '2026-03-11'")
    assert send(chain, webhook.url, MOSCOW_NINE, salon="salon").sent == 1


def test_after_an_outage_two_days_are_sent_and_older_ones_are_missed(chain: Workshop, webhook: Webhook) -> None:
    send(chain, webhook.url, "2026-03-06T06:00+00:00", salon="salon")
    report = send(chain, webhook.url, "2026-03-10T06:00+00:00", salon="salon")
    assert (report.sent, report.missed) == (2, 2)
    assert read_ledger(chain, "salon") == [
        ("daily", "2026-03-05", "sent"), ("daily", "2026-03-06", "missed"), ("daily", "2026-03-07", "missed"),
        ("daily", "2026-03-08", "sent"), ("daily", "2026-03-09", "sent"),
    ]  # fmt: skip
    # What to do today stands in the newest alone.
    assert ["Срочных дел" in post["message"] or "Сегодня" in post["message"] for _, post in webhook.posts] == [
        True, False, True,
    ]  # fmt: skip


def test_what_failed_and_grew_old_is_missed_and_no_problem_any_more(chain: Workshop, webhook: Webhook) -> None:
    webhook.status = 500
    send(chain, webhook.url, "2026-03-06T06:00+00:00", salon="salon")
    webhook.status = 200
    assert send(chain, webhook.url, "2026-03-08T06:00+00:00", salon="salon").missed == 1
    assert [outcome for _, _, outcome in read_ledger(chain, "salon")] == ["missed", "sent", "sent"]
    assert find_digest_problems(chain, "2026-03-08T06:00+00:00") == []


def test_who_has_just_asked_for_digests_gets_the_newest_alone(chain: Workshop, webhook: Webhook) -> None:
    # A Tuesday: the week's is for the next Monday.
    assert send(chain, webhook.url, "2026-03-10T06:00+00:00", salon="far").sent == 1
    assert webhook.titles == ["far: понедельник, 9 марта"]


@pytest.mark.parametrize(
    ("name", "nine"),
    [
        ("far", "2026-03-11T23:00+00:00"),
        ("salon", "2026-03-12T06:00+00:00"),
        # Clocks in New York went forward in the night to 8 March: a week earlier nine was an hour later.
        ("west", "2026-03-09T13:00+00:00"),
        ("west", "2026-03-02T14:00+00:00"),
    ],
)
def test_digests_go_out_at_nine_where_the_salon_lives(chain: Workshop, webhook: Webhook, name: str, nine: str) -> None:
    before = datetime.fromisoformat(nine) - timedelta(minutes=1)
    assert send(chain, webhook.url, before.isoformat(), salon=name) == DigestReport()
    assert send(chain, webhook.url, nine, salon=name).sent == 1


@pytest.mark.parametrize(
    ("kind", "local", "ledger", "due"),
    [
        ("daily", "2026-03-12T08:59", {}, Due()),
        ("daily", "2026-03-12T09:00", {}, Due((date(2026, 3, 11),))),
        ("daily", "2026-03-12T23:59", {date(2026, 3, 11): "sent"}, Due()),
        ("daily", "2026-03-12T09:00", {date(2026, 3, 11): "failed"}, Due((date(2026, 3, 11),))),
        ("daily", "2026-03-12T09:00", {date(2026, 3, 11): "taken"}, Due((date(2026, 3, 11),))),
        ("daily", "2026-03-12T09:00", {date(2026, 3, 8): "failed", date(2026, 3, 11): "sent"},
         Due((date(2026, 3, 10),), (date(2026, 3, 8), date(2026, 3, 9)))),
        ("weekly", "2026-03-09T09:00", {}, Due((date(2026, 3, 8),))),
        ("weekly", "2026-03-10T09:00", {}, Due()),
        ("weekly", "2026-03-10T09:00", {date(2026, 3, 8): "failed"}, Due((date(2026, 3, 8),))),
        ("weekly", "2026-03-10T09:00", {date(2026, 3, 1): "sent"}, Due((date(2026, 3, 8),))),
        ("weekly", "2026-03-11T09:00", {date(2026, 3, 1): "sent"}, Due((), (date(2026, 3, 8),))),
        ("weekly", "2026-03-15T09:00", {date(2026, 3, 8): "sent"}, Due()),
    ],
)  # fmt: skip
def test_what_is_due_follows_from_the_local_time_and_the_ledger(
    kind: str, local: str, ledger: dict[date, str], due: Due
) -> None:
    assert find_due(kind, local=datetime.fromisoformat(local), ledger=ledger) == due


def test_the_last_week_ends_on_the_sunday_before_today() -> None:
    mondays = {find_last_day("weekly", date(2026, 3, 9) + timedelta(days=day)) for day in range(7)}
    assert mondays == {date(2026, 3, 8)}


def test_a_day_as_present_is_its_end_in_each_salon(chain: Workshop) -> None:
    with open_connection(chain.url) as connection:
        found = read_subscribers(connection, date(2026, 3, 12))
    assert {subscriber.local for subscriber in found} == {datetime.fromisoformat("2026-03-13")}
    assert [subscriber.slug for subscriber in found] == ["far-slug", "salon-slug", "west-slug"]


def make_subscriber(**changes: Any) -> Subscriber:
    known = {
        "tenant_id": make_id("salon"), "name": "Ромашка", "slug": "a b/c?d", "admin_chat_id": "-1001",
        "timezone": "Europe/Moscow", "language": "ru", "digest": "both", "local": datetime.fromisoformat("2026-03-12"),
    }  # fmt: skip
    return Subscriber(**{**known, **changes})


def test_a_salons_own_values_are_quoted_in_urls() -> None:
    receiver = Receiver("Receiver 1", "tgram://t/{admin_chat_id}/?a={slug}&b={tenant_id}", "AGENTP_DIGESTS")
    ([addressed], left_out) = address_receivers([receiver], make_subscriber())
    assert addressed.url == f"tgram://t/-1001/?a=a%20b%2Fc%3Fd&b={make_id('salon')}"
    assert left_out == []


def test_a_salon_without_a_chat_is_left_out_of_receivers_that_need_one(chain: Workshop, webhook: Webhook) -> None:
    chain.execute("update tenants_v2 set metadata = metadata - 'telegram' where slug = 'salon-slug'")
    both = f"{webhook.url}{{admin_chat_id}} {webhook.url}all"
    alone = send(chain, f"{webhook.url}{{admin_chat_id}}", MOSCOW_NINE, salon="salon")
    said = "Receiver 1 of {} in AGENTP_DIGESTS (json) is left out for salon: it has no admin_chat_id."
    assert alone == DigestReport(left_out=(said.format(1),))
    assert read_ledger(chain, "salon") == []
    report = send(chain, both, MOSCOW_NINE, salon="salon")
    assert (report.sent, report.left_out) == (1, (said.format(2),))
    assert [path for path, _ in webhook.posts] == ["/all"]


def test_telegram_gets_a_photo_with_the_text_as_its_caption(
    chain: Workshop, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(NotifyTelegram, "notify_url", f"http://127.0.0.1:{webhook.port}/bot")
    report = send(chain, "tgram://123456789:the-secret-of-the-bot/{admin_chat_id}/", MOSCOW_NINE, salon="salon")
    assert (report.sent, report.failures) == (1, ())
    ((path, post),) = webhook.posts
    assert path == "/bot123456789:the-secret-of-the-bot/sendPhoto"
    assert b"\r\n\x89PNG" in post["form"].replace(b"\r\n\r\n", b"\r\n")
    for part in ("-1005", "salon: среда, 11 марта", "Хотели записаться и записались: 1 из 1"):
        assert part.encode() in post["form"]


def test_secrets_reach_neither_logs_nor_errors_nor_the_ledger(
    chain: Workshop, webhook: Webhook, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(1)
    webhook.status = 401
    urls = f"json://me:secret-of-json@127.0.0.1:{webhook.port}/secret-of-path/{{admin_chat_id}} s3cret://{{slug}}"
    report = send(chain, urls, MOSCOW_NINE, salon="salon")
    (row,) = chain.execute("select error from quality.digests")
    webhook.status = 200
    report += send(chain, urls, MOSCOW_NINE, salon="salon")
    assert (report.sent, len(webhook.posts)) == (1, 1)
    assert "it answered 401" in row["error"]
    told = caplog.text + str(report) + repr(report) + row["error"]
    assert "secret-of" not in told
    assert "-1005" not in told
    settings = Settings(digests=SecretStr("tgram://secret-of-digests"))
    assert "secret-of" not in repr(settings) + settings.model_dump_json()


def test_without_receivers_or_marts_nothing_is_sent_or_noted(
    chain: Workshop, webhook: Webhook, database_url: str
) -> None:
    assert send(chain, " ", MOSCOW_NINE).obstacle == "AGENTP_DIGESTS names nobody to send to."
    settings = chain.settings.model_copy(update={"digests": SecretStr(webhook.url)})
    assert send_digests(database_url, settings).obstacle == "The marts that digests tell of are not built yet."
    assert webhook.posts == []


def test_past_figures_that_changed_since_the_digest_before_are_mentioned(chain: Workshop, webhook: Webhook) -> None:
    chain.execute("drop view if exists dashboard.restatements cascade")
    chain.execute(
        "create table dashboard.restatements as select %s::uuid as tenant_id, day::date, moment::timestamptz as "
        "restated_at from (values ('2026-03-01', '2026-03-11 06:00+00'), ('2026-03-01', '2026-03-12 02:00+00'), "
        "('2026-03-02', '2026-03-12 02:00+00'), ('2026-03-03', '2026-03-11 05:59+00'), "
        "('2026-03-04', '2026-03-12 06:00+00')) as changes (day, moment)",
        [make_id("salon")],
    )
    send(chain, webhook.url, MOSCOW_NINE)
    mentioned = {post["title"].split(":")[0]: post["message"].splitlines()[-1] for _, post in webhook.posts}
    assert mentioned["salon"] == "Уточнены прежние цифры за 2 дня."
    assert "Уточнены" not in mentioned["far"]


def test_the_digest_says_what_the_marts_say(chain: Workshop, webhook: Webhook) -> None:
    chain.execute(
        "update dashboard.metrics_dailies set dialogs_started = 40, bookings = 33, response_ms_sum = 80000, "
        "response_count = 4, intended_dialogs = 35, intended_bookings = 30 "
        "where tenant_id = %s and day between '2026-03-02' and '2026-03-08'",
        [make_id("west")],
    )
    chain.execute(
        "update dashboard.funnel_daily set dropped_at_staff = 5, dropped_at_service = 1 where tenant_id = %s",
        [make_id("west")],
    )
    send(chain, webhook.url, "2026-03-09T14:00+00:00", salon="west")
    assert webhook.bodies.replace("\u00a0", " ").splitlines()[:6] == [
        "Conversations: 280 (the week before 14)",
        "Meant to book and did: 210 of 245 (the week before 7 of 7)",
        "Too early to compare: fewer than 20 conversations meant to book.",
        "Booked for RUB 10,500 (the week before RUB 10,500)",
        "Most leave while choosing a staff member: 35 of 245.",
        "Replies took 20 sec on average",
    ]


def test_the_job_sends_what_is_due(chain: Workshop, webhook: Webhook) -> None:
    chain.settings = chain.settings.model_copy(update={"digests": SecretStr(webhook.url)})
    done = run_job(chain, "digests", tags={"agentp/as_of": MOSCOW_NINE})
    assert done.success
    metadata = done.find_materializations()["quality.digests"]
    assert {name: value.value for name, value in metadata.items()} == {
        "sent": 2, "missed": 0, "waiting": 0, "failed": 0, "obstacle": "none",
    }  # fmt: skip
    assert len(webhook.posts) == 2
    (run,) = chain.execute("select job, outcome from quality.job_runs")
    assert run == {"job": "digests", "outcome": "succeeded"}


def test_a_run_of_digests_waits_for_no_build_and_is_of_the_moment_it_begins(loaded: dg.Definitions) -> None:
    repository = loaded.get_repository_def()
    assert loaded.resolve_job_def("digests").tags["agentp/target"] == "digests"
    schedule = repository.get_schedule_def("digests_schedule")
    assert schedule.cron_schedule == "5 * * * *"
    context = dg.build_schedule_context(
        scheduled_execution_time=datetime.fromisoformat(MOSCOW_NINE), repository_def=repository
    )
    [request] = schedule.evaluate_tick(context).run_requests or []
    assert (request.run_key, "agentp/as_of" in request.tags) == (MOSCOW_NINE.replace("T06:00+", "T06:00:00+"), False)


def test_the_command_shows_digests_and_draws_them_without_noting_anything(
    chain: Workshop, run_command: RunCommand, tmp_path: Path
) -> None:
    answer = run_command("digest", "--as-of", "2026-03-11", "--out", str(tmp_path), database_url=chain.url)
    assert answer.code == 0, answer.err
    assert "salon: среда, 11 марта" in answer.out
    assert "west: the week Mar 2\u2009–\u20098" in answer.out
    assert "quiet" not in answer.out
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "far-slug-daily-2026-03-11.png", "far-slug-weekly-2026-03-08.png", "salon-slug-daily-2026-03-11.png",
        "west-slug-weekly-2026-03-08.png",
    ]  # fmt: skip
    quiet = run_command("digest", "--as-of", "2026-03-11", "--tenant", "quiet-slug", database_url=chain.url)
    assert quiet.out.count("which it has not asked for") == 2
    assert chain.execute("select to_regclass('quality.digests') as ledger") == [{"ledger": None}]


def test_the_command_says_what_is_wrong(chain: Workshop, run_command: RunCommand, database_url: str) -> None:
    for arguments, settings, says in (
        (["--tenant", "nobody"], {}, "There is no active salon 'nobody'"),
        (["--send"], {}, "AGENTP_DIGESTS names nobody"),
        (["--send", "--as-of", "2026-03-11"], {"digests": "json://127.0.0.1:1/"}, "--out and --as-of are for looking"),
        ([], {"database_url": database_url}, "not built yet"),
    ):
        answer = run_command("digest", *arguments, **{"database_url": chain.url, "digests": "", **settings})
        assert (answer.code, says in answer.err) == (2, True), answer.err


def test_the_command_sends_what_is_due_now(chain: Workshop, run_command: RunCommand, webhook: Webhook) -> None:
    # Yesterday is not in these marts, so all that is due waits; and before nine nothing is.
    answer = run_command("digest", "--send", database_url=chain.url, digests=webhook.url)
    assert answer.code == 0, answer.err
    assert "0 digests sent" in answer.out
