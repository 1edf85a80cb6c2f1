"""Who is told what, how often, and what is kept from them; the receivers are real ones on this machine."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from email.header import decode_header, make_header
from pathlib import Path

import apprise
import pytest
from apprise.plugins.slack import NotifySlack
from apprise.plugins.telegram import NotifyTelegram
from psycopg.conninfo import make_conninfo
from pydantic import SecretStr

from agentp.database import open_connection
from agentp.errors import ConnectionFailedError, SetupError
from orchestration import alerts
from orchestration.alerts import AlertError, AlertReport, send_alerts, tell, tell_outage
from orchestration.problems import LEDGER_LOCK, hold_lock, sync_problems
from tests.orchestration.receivers import Webhook, open_mailbox, open_webhook
from tests.orchestration.test_problems import HOUR, NOW, add_check, add_run
from tests.orchestration.test_problems import history as history
from tests.support.marts import Workshop

ROOT = Path(__file__).resolve().parents[2]
TELEGRAM = "tgram://123456789:the-secret-of-the-bot/987654/"
SLACK = "slack://T1JJ3T3L2/A1BRTD4JD/TheSecretOfTheWebhook12/#ops"


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    """A receiver that listens."""
    with open_webhook() as opened:
        yield opened


def send(history: Workshop, urls: str, *, present: datetime = NOW) -> AlertReport:
    settings = history.settings.model_copy(update={"alerts": SecretStr(urls)})
    return send_alerts(history.url, settings, present=present)


def fail(history: Workshop) -> None:
    add_run(history, "failed", job="hourly", error="marts: no such table")


def mend(history: Workshop) -> None:
    history.execute("update quality.job_runs set outcome = 'succeeded'")


def test_a_problem_is_told_once_and_its_end_once(history: Workshop, webhook: Webhook) -> None:
    fail(history)
    assert [send(history, webhook.url).told for _ in range(3)] == [1, 0, 0]
    mend(history)
    assert [send(history, webhook.url).ends_told for _ in range(3)] == [1, 0, 0]
    assert webhook.titles == ["agentp: Run hourly failed", "agentp: over: Run hourly failed"]
    assert [post["type"] for _, post in webhook.posts] == ["failure", "success"]
    assert "marts: no such table" in webhook.posts[0][1]["message"]


def test_the_report_says_what_opened_and_what_ended(history: Workshop, webhook: Webhook) -> None:
    fail(history)
    report = send(history, webhook.url)
    assert [problem.key for problem in report.opened] == ["run/hourly"]
    assert (report.closed, report.failures) == ((), ())
    mend(history)
    report = send(history, webhook.url)
    assert [problem.key for problem in report.closed] == ["run/hourly"]
    assert report.opened == ()


def test_what_a_receiver_that_was_down_missed_is_told_later_once(history: Workshop, webhook: Webhook) -> None:
    fail(history)
    webhook.stop()
    report = send(history, webhook.url)
    assert report.told == 0
    assert [str(failure) for failure in report.failures] == [
        "Receiver 1 of 1 in AGENTP_ALERTS (json) did not take the message: it could not be reached, or refused. "
        "Correct AGENTP_ALERTS or mend the receiver; what nobody has taken is told next time."
    ]
    webhook.start()
    assert [send(history, webhook.url).told for _ in range(2)] == [1, 0]
    webhook.status = 503
    mend(history)
    assert "it answered 503." in str(send(history, webhook.url).failures[0])
    webhook.status = 200
    assert [send(history, webhook.url).ends_told for _ in range(2)] == [1, 0]
    assert len(webhook.posts) == 2


def test_two_at_once_tell_once(history: Workshop, webhook: Webhook) -> None:
    fail(history)
    # Long enough for the other one to come to the same point.
    webhook.seconds = 0.5
    with ThreadPoolExecutor(4) as pool:
        reports = list(pool.map(lambda _: send(history, webhook.url), range(4)))
    assert sorted(report.told for report in reports) == [0, 0, 0, 1]
    assert len(webhook.posts) == 1


def test_two_at_once_make_the_tables_of_a_fresh_database(history: Workshop, database_url: str) -> None:
    Workshop(url=database_url, settings=history.settings).migrate()
    with ThreadPoolExecutor(4) as pool:
        reports = list(pool.map(lambda _: send_alerts(database_url, history.settings), range(4)))
    assert reports == [AlertReport((), (), 0, 0, ())] * 4


def test_a_problem_that_comes_back_is_told_again(history: Workshop, webhook: Webhook) -> None:
    fail(history)
    send(history, webhook.url)
    mend(history)
    send(history, webhook.url)
    history.execute("update quality.job_runs set outcome = 'failed'")
    send(history, webhook.url)
    assert webhook.titles == [f"agentp: {over}Run hourly failed" for over in ("", "over: ", "")]


def test_an_end_that_was_missed_is_told_before_the_problem_is_told_again(history: Workshop, webhook: Webhook) -> None:
    fail(history)
    send(history, webhook.url)
    webhook.status = 500
    mend(history)
    send(history, webhook.url)
    history.execute("update quality.job_runs set outcome = 'failed'")
    webhook.status = 200
    send(history, webhook.url)
    assert webhook.titles[1:] == ["agentp: over: Run hourly failed", "agentp: Run hourly failed"]


def test_what_ended_before_anybody_was_told_is_told_neither_way(history: Workshop, webhook: Webhook) -> None:
    fail(history)
    webhook.status = 500
    send(history, webhook.url)
    mend(history)
    webhook.status = 200
    send(history, webhook.url)
    assert webhook.posts == []


def test_without_receivers_problems_are_kept_until_there_are_some(history: Workshop, webhook: Webhook) -> None:
    fail(history)
    report = send(history, "")
    assert (len(report.opened), report.told, report.failures) == (1, 0, ())
    assert history.execute("select told_at from quality.problems") == [{"told_at": None}]
    assert send(history, webhook.url).told == 1


def test_a_dead_receiver_does_not_make_the_others_hear_it_twice(history: Workshop, webhook: Webhook) -> None:
    fail(history)
    urls = f"json://127.0.0.1:1/ {webhook.url} foo://s3cret"
    report = send(history, urls)
    assert report.told == 1
    assert [str(failure).split(".")[0] for failure in report.failures] == [
        "Receiver 1 of 3 in AGENTP_ALERTS (json) did not take the message: it could not be reached, or refused",
        "Receiver 3 of 3 in AGENTP_ALERTS (foo) is no URL that apprise knows",
    ]
    send(history, urls)
    assert len(webhook.posts) == 1


def test_who_dies_between_sending_and_marking_makes_it_told_again(
    history: Workshop, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail(history)

    def send_and_die(*arguments: str, **options: bool) -> None:
        tell(*arguments, **options)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(alerts, "tell", send_and_die)
        with pytest.raises(KeyboardInterrupt):
            send(history, webhook.url)
    assert [send(history, webhook.url).told for _ in range(2)] == [1, 0]
    assert len(webhook.posts) == 2


def test_a_problem_that_ends_while_it_is_told_is_told_as_over(
    history: Workshop, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail(history)

    def send_while_it_ends(*arguments: str, **options: bool) -> tuple[()]:
        # Neither waits for the other: a slow receiver must not keep others from writing down what is wrong.
        with open_connection(history.url) as connection:
            sync_problems(connection, [], present=NOW)
        tell(*arguments, **options)  # type: ignore[arg-type]
        return ()

    with monkeypatch.context() as patched:
        patched.setattr(alerts, "tell", send_while_it_ends)
        send(history, webhook.url)
    mend(history)
    assert send(history, webhook.url).ends_told == 1
    assert len(webhook.posts) == 2


def test_a_lock_that_somebody_keeps_is_an_error_with_a_cure(
    history: Workshop, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestration.problems.LONGEST_WAIT", "100ms")
    with open_connection(history.url) as connection:
        hold_lock(connection, LEDGER_LOCK)
        with pytest.raises(AlertError, match="Another process has held the ledger"):
            send(history, webhook.url)


def test_nothing_is_said_about_warnings(history: Workshop, webhook: Webhook) -> None:
    run_id = add_run(history, "succeeded")
    add_check(history, run_id, severity="critical")
    add_check(history, run_id, severity="warning")
    assert send(history, webhook.url).told == 1
    assert webhook.titles == ["agentp: agent_p.wishlist_v2: critical_rule does not pass"]
    assert "warning" not in webhook.bodies


def test_a_run_that_died_is_told(history: Workshop, webhook: Webhook) -> None:
    add_run(history, "died")
    send(history, webhook.url)
    assert webhook.titles == ["agentp: Run daily died: its process went without a word"]


def test_missed_freshness_is_told_and_so_is_its_end(history: Workshop, webhook: Webhook) -> None:
    add_run(history, "succeeded")
    send(history, webhook.url, present=NOW + 24 * HOUR)
    assert webhook.posts == []
    send(history, webhook.url, present=NOW + 26 * HOUR)
    add_run(history, "succeeded", age=-20 * HOUR)
    send(history, webhook.url, present=NOW + 26 * HOUR)
    assert webhook.titles == [f"agentp: {over}The marts are out of date" for over in ("", "over: ")]


def test_an_empty_database_has_nothing_to_tell(history: Workshop, database_url: str, webhook: Webhook) -> None:
    settings = history.settings.model_copy(update={"alerts": SecretStr(webhook.url)})
    assert send_alerts(database_url, settings) == AlertReport((), (), 0, 0, ())
    assert webhook.posts == []


def test_a_message_lists_ten_problems_and_counts_the_others(history: Workshop, webhook: Webhook) -> None:
    for number in range(13):
        add_run(history, "failed", job=f"job {number:02} {'y' * 200}", error="x" * 500)
    assert send(history, webhook.url).told == 13
    ((_, post),) = webhook.posts
    assert post["title"] == "agentp: 13 new problems"
    lines = post["message"].splitlines()
    assert [line[:12] for line in lines[:10]] == [f"- Run job {number:02}" for number in range(10)]
    assert lines[10] == "- … and 3 more, in quality.problems"
    assert len(post["message"]) < 4000
    mend(history)
    send(history, webhook.url)
    assert webhook.titles[1] == "agentp: over: 13 problems"


def test_a_database_that_cannot_be_reached_is_raised(history: Workshop, webhook: Webhook) -> None:
    settings = history.settings.model_copy(update={"alerts": SecretStr(webhook.url)})
    with pytest.raises(ConnectionFailedError):
        send_alerts(make_conninfo(history.url, port=1), settings)


def test_an_outage_is_told_once_and_so_is_its_end(webhook: Webhook) -> None:
    error = ConnectionFailedError("No connection to postgresql://me:s3cret@db/x.", cure="Start it.")
    told = False
    for failure in (None, error, error, None, None, error):
        told = tell_outage(webhook.url, failure, told=told)
    assert told
    over, out = "agentp: the database can be reached again", "agentp: the database cannot be reached"
    assert webhook.titles == [out, over, out]
    assert "me:***@db" in webhook.bodies
    assert "s3cret" not in webhook.bodies


def test_an_outage_that_nobody_could_be_told_of_is_told_next_time(webhook: Webhook) -> None:
    error = ConnectionFailedError("No connection.", cure="Start it.")
    webhook.status = 500
    with pytest.raises(AlertError):
        tell_outage(webhook.url, error, told=False)
    assert tell_outage("", error, told=False) is False
    webhook.status = 200
    assert tell_outage(webhook.url, error, told=False) is True


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("foo://s3cret", "(foo)"),
        ("tgram://s3cret", "(tgram)"),
        ("s3cret", "(no schema)"),
        ("me:s3cret@host", "(no schema)"),
        ("json://:s3cret@", "(json)"),
        ("mailto://s3cret", "(mailto)"),
    ],
)
def test_a_url_that_is_none_is_refused_by_its_schema_alone(
    url: str, shown: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(1)
    with pytest.raises(SetupError) as caught:
        tell(url, title="title", body="body", is_recovery=False)
    assert shown in str(caught.value)
    assert "s3cret" not in str(caught.value) + caplog.text
    assert caught.value.__cause__ is caught.value.__context__ is None


def test_secrets_reach_neither_logs_nor_errors(
    history: Workshop, webhook: Webhook, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(1)
    filters = list(logging.getLogger("urllib3.connectionpool").filters)
    monkeypatch.setattr(NotifyTelegram, "notify_url", f"http://127.0.0.1:{webhook.port}/bot")
    urls = f"{TELEGRAM} json://me:secret-of-json@127.0.0.1:{webhook.port}/secret-of-path"
    webhook.status = 401
    fail(history)
    report = send(history, urls)
    assert all("it answered 401" in str(failure) for failure in report.failures)
    webhook.status = 200
    report = send(history, urls)
    assert (report.told, len(webhook.posts)) == (1, 2)
    assert "secret" not in caplog.text + str(report)
    # Afterwards these libraries may speak again.
    assert logging.getLogger("urllib3.connectionpool").filters == filters


def test_secrets_do_not_reach_the_logs_of_a_process_that_has_not_sent_yet(webhook: Webhook) -> None:
    url = f"json://me:s3cret@127.0.0.1:{webhook.port}/s3cret"
    program = (
        "import logging, sys; logging.basicConfig(level=1); from orchestration.alerts import tell\n"
        "assert 'apprise' not in sys.modules\n"
        "tell(sys.argv[1], title='title', body='body', is_recovery=False)"
    )
    done = subprocess.run([sys.executable, "-c", program, url], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(webhook.posts) == 1
    assert "s3cret" not in done.stdout + done.stderr


def test_an_e_mail_arrives() -> None:
    with open_mailbox() as (port, mails):
        url = f"mailto://127.0.0.1:{port}?from=agentp@example.org&to=ops@example.org&mode=insecure"
        tell(url, title="Salon Ромашка has fallen silent", body="- <b>silent</b>", is_recovery=False)
    (mail,) = mails
    assert (mail["From"], mail["To"]) == ("agentp@example.org", "ops@example.org")
    assert str(make_header(decode_header(mail["Subject"]))) == "Salon Ромашка has fallen silent"
    payload = mail.get_payload(decode=True)
    assert isinstance(payload, bytes)
    assert payload.decode().strip() == "- <b>silent</b>"


def test_an_e_mail_that_nobody_takes_is_an_error() -> None:
    with pytest.raises(AlertError, match=r"\(mailto\) did not take the message"):
        tell("mailto://127.0.0.1:1?from=a@example.org&to=b@example.org&mode=insecure", title="t", body="b",
             is_recovery=False)  # fmt: skip


def test_telegram_gets_text_and_not_markup(webhook: Webhook, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(apprise.Apprise.instantiate(TELEGRAM), NotifyTelegram)
    monkeypatch.setattr(NotifyTelegram, "notify_url", f"http://127.0.0.1:{webhook.port}/bot")
    tell(TELEGRAM, title="a <b>", body="- {{ b }}", is_recovery=False)
    ((path, post),) = webhook.posts
    assert path == "/bot123456789:the-secret-of-the-bot/sendMessage"
    assert post["chat_id"] == 987654
    assert post["text"].split() == ["<b>a", "&lt;b&gt;</b>", "-", "{{", "b", "}}"]


def test_slack_gets_a_colour_and_text(webhook: Webhook, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(apprise.Apprise.instantiate(SLACK), NotifySlack)
    monkeypatch.setattr(NotifySlack, "webhook_url", f"http://127.0.0.1:{webhook.port}/services")
    tell(SLACK, title="title", body="- body", is_recovery=False)
    tell(SLACK, title="title", body="- body", is_recovery=True)
    (path, post), (_, recovery) = webhook.posts
    assert path == "/services/T1JJ3T3L2/A1BRTD4JD/TheSecretOfTheWebhook12"
    assert post["channel"] == "#ops"
    assert (post["attachments"][0]["title"], post["attachments"][0]["text"]) == ("title", "- body")
    assert post["attachments"][0]["color"] != recovery["attachments"][0]["color"]


def test_what_is_too_long_for_a_receiver_comes_in_parts(webhook: Webhook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(NotifyTelegram, "notify_url", f"http://127.0.0.1:{webhook.port}/bot")
    lines = [f"- {number:04}" for number in range(1000)]
    tell(TELEGRAM, title="title", body="\n".join(lines), is_recovery=False)
    assert all(len(post["text"]) <= 4096 for _, post in webhook.posts)
    assert all(line in "".join(post["text"] for _, post in webhook.posts) for line in lines)
