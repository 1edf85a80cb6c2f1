"""Pages of the fixed salon and chain: the golden frames of each, and what the figures on them have to be."""

from __future__ import annotations

import json
import re
from typing import Any

import pandas as pd
import pytest

from reports.audiences import Veil
from reports.blocks import Actions, Card, Cards, Chart, Note, Page, Section, Split
from reports.pages.cohorts import hide_small_rates
from reports.tables import get_title
from reports.texts import read_texts
from tests.reports.chain_frames import NAMES, NORTH, SOUTH, make_empty_chain
from tests.reports.editions import EDITIONS, PAGES, Site, build_page, name_edition, render
from tests.reports.golden import FOLDER, describe_page, get_path
from tests.reports.salon_frames import ANALYST, OWNER, PHONES, SUMMARIES, make_empty_salon, make_rows, make_salon

RENEW = "if it should be so: `python -m tests.reports.golden`, and look at the difference"


def list_blocks(page: Page, kind: type[Any]) -> list[Any]:
    """The blocks of a kind on a page, also those that stand beside each other."""
    found: list[Any] = []
    sections: list[Section] = list(page.sections)
    while sections:
        for block in sections.pop(0).blocks:
            if isinstance(block, Split):
                sections += block.sections
            elif isinstance(block, kind):
                found.append(block)
    return found


def list_cards(days: int, language: str = "en") -> dict[str, Card]:
    """The cards of one period, by title."""
    block: Cards = list_blocks(build_page("salon", "index", language, OWNER), Cards)[0]
    return {card.title: card for period in block.periods if period.days == days for card in period.cards}


def get_chart(site: Site, page: str, name: str) -> list[dict[str, Any]]:
    charts = [chart for chart in list_blocks(build_page(site, page, "en", OWNER), Chart) if chart.name == name]
    values: list[dict[str, Any]] = charts[0].values if charts else []
    return values


@pytest.mark.parametrize(("site", "name"), PAGES)
def test_a_page_holds_what_its_golden_frames_say(site: Site, name: str) -> None:
    golden = json.loads(get_path(site, name).read_text(encoding="utf-8"))
    found = json.loads(json.dumps(describe_page(site, name)))
    assert sorted(found) == sorted(golden), RENEW
    for block in golden:
        assert found[block] == golden[block], f"{block}; {RENEW}"


def test_every_golden_file_is_of_a_page() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {get_path(site, name).name for site, name in PAGES}


@pytest.mark.parametrize(
    ("title", "value", "detail", "change", "tone"),
    [
        # 80 of 50 is 60 % more, and 30² > 1.96² · 130.
        ("Conversations", "80", "", "▲ 60%, was 50", "good"),
        # 48 of 47 is 2 % more, which is nothing.
        ("Bookings", "48", "", "▲ 2%, was 47", "even"),
        # 48/80 = 60 %, Wilson 49.04 to 70.04 %; 47/50 = 94 %.
        ("Booking rate", "60%", "48 of 80", "▼ down, was 94%", "bad"),
        # Newcombe's own example: certain, 20 points.
        ("Arrival rate", "80%", "56 of 70; 14 of them without a note of the visit", "▲ up, was 60%", "good"),
        # And one that is not: −3.8 to 19.3 points.
        ("No-shows", "9%", "5 of 56", "was 0%, which may be chance", "even"),
        ("Cancellations", "33%", "20 of 60", "too few before to compare", "even"),
        ("Booked amount, RUB", "RUB 56,000", "", "▲ 12%, was RUB 50,000", "good"),
        ("Booked amount, EUR", "€121", "", "was €0", "good"),
        ("Bookings without a currency", "700", "", "", "even"),
        ("Average ticket, EUR", "€60", "from 2", "", "even"),
        ("New clients", "0", "", "▼ 100%, was 20", "bad"),
        # 12.4 s of 15.5 s is a fifth less, and faster is better.
        ("Bot's answer", "12 sec", "from 310", "▼ 20%, was 15 sec", "good"),
    ],
)
def test_a_card_says_its_figure_and_what_changed(title: str, value: str, detail: str, change: str, tone: str) -> None:
    card = list_cards(30)[title]
    said = [text.replace("\u00a0", " ") for text in (card.value, card.detail, card.change, card.tone)]
    assert said == [value, detail, change, tone]


def test_a_rate_of_too_few_says_so_and_is_not_compared() -> None:
    russian, english = list_cards(7, "ru")["Доля записей"], list_cards(7)["Booking rate"]
    assert (russian.value, russian.detail) == ("мало данных", "6 из 15")
    assert (english.value, english.detail, english.change, english.tone) == ("too few to say", "6 of 15", "", "even")
    assert "%" not in english.value + english.detail


def test_a_rate_of_enough_is_not_blamed_on_the_period_before() -> None:
    assert list_cards(7)["Booking rate"].change == ""
    assert list_cards(30)["Cancellations"].change == "too few before to compare"


def test_a_period_without_one_before_says_so() -> None:
    assert {card.change for card in list_cards(90).values()} == {"no earlier period yet"}


def test_a_rate_of_presumed_visits_is_said_to_be_that() -> None:
    card = list_cards(7)["No-shows"]
    assert (card.value, card.change) == ("visits not recorded", "")
    assert card.detail == "0 of 24; 24 of them without a note of the visit"


def test_figures_without_a_card_are_not_shown() -> None:
    assert len(list_cards(30)) == 16
    assert not [title for title in list_cards(30) if "essage" in title]


def test_the_days_to_come_are_seven_in_figures_and_in_names() -> None:
    actions: Actions = list_blocks(build_page("salon", "index", "en", OWNER), Actions)[0]
    risk = next(action for action in actions.actions if "fall through" in action.title)
    # 0.4 + 0.25 + 0.1 is one; 600 roubles and 10.05 euros of the three; Boris comes on the eighth day.
    assert risk.title.replace("\u00a0", " ") == "Of 3 bookings this week one may fall through, RUB 600, €10 at risk"
    assert len(risk.lines) == 3
    assert not [line for line in risk.lines if "Борис" in line.text or "8 Nov" in line.text]


def test_who_is_named_among_things_to_do_is_called_from_there() -> None:
    html = render(build_page("salon", "index", "ru", OWNER), "ru", OWNER)
    assert '<a class="dial" href="tel:+79160000004">+7 916 000-00-04</a>' in html
    assert html.index('id="next"') < html.index('class="cards"')
    assert "tel:" not in render(build_page("salon", "index", "ru", ANALYST), "ru", ANALYST)


def test_actions_hang_on_their_numbers() -> None:
    actions: Actions = list_blocks(build_page("salon", "index", "en", OWNER), Actions)[0]
    # Four to win back; one slot is free; wishes 1 and 3 fit; two unanswered; three left before the service.
    assert [(action.number, action.link) for action in actions.actions] == [
        ("4", "win-back"), ("", "waitlist"), ("1", "waitlist"), ("2", "waitlist"), ("2", "sessions"), ("", "funnel"),
    ]  # fmt: skip
    assert actions.actions[-1].title == "Most leave before choosing a service: 3 of 9 who did not book"


def test_a_risk_without_prices_names_no_amount() -> None:
    frames = make_salon()
    slots = frames["risky_slots"]
    frames.frames["risky_slots"] = slots.assign(value_at_risk_amount=None)
    actions: Actions = list_blocks(build_page("salon", "index", "en", OWNER, frames=frames), Actions)[0]
    assert actions.actions[1].title == "Of 3 bookings this week one may fall through"


def test_lines_of_days_are_drawn_to_the_tenth_of_a_second_with_gaps_for_silence() -> None:
    by_day = {value["day"]: value for value in get_chart("salon", "index", "response")}
    assert (by_day["2026-10-19T00:00:00"]["median"], by_day["2026-10-19T00:00:00"]["p90"]) == (61.0, 125.0)
    assert by_day["2026-10-26T00:00:00"]["median"] == 0.3
    assert (by_day["2026-10-18T00:00:00"]["median"], by_day["2026-10-18T00:00:00"]["median_text"]) == (None, "—")


def test_the_heat_map_draws_every_hour_and_says_the_busiest() -> None:
    values = get_chart("salon", "funnel", "heat_map")
    assert len(values) == 7 * 24 == len({(value["weekday"], value["hour"]) for value in values})
    filled = {(value["weekday"], value["hour"]): value["per_week"] for value in values if value["per_week"]}
    assert filled == {("Sat", 10): 0.75, ("Mon", 18): 0.33, ("Sun", 2): 0.08, ("Sun", 23): 0.17}
    chart = list_blocks(build_page("salon", "funnel", "en", OWNER), Chart)[1]
    assert chart.alternative.endswith("Most are written on Sat at 10:00.")


def test_shares_of_fewer_than_twenty_are_hidden_and_their_counts_stay() -> None:
    retention = hide_small_rates(make_salon()["retention"], "assessable_count")
    assert [value is not None for value in retention["rate"].tolist()] == [
        False, False, True, True, True, True, False, True,
    ]  # fmt: skip
    assert retention["returned_count"].tolist() == [0, 9, 5, 8, 30, 11, 4, 7]
    assert [row["rate"] for row in get_chart("salon", "cohorts", "retention_all")] == [0.6, 0.4]


def test_months_of_too_few_clients_are_not_drawn_and_the_others_oldest_first() -> None:
    assert [row["month"] for row in get_chart("salon", "cohorts", "retention_all")] == ["Jun 2026", "Jul 2026"]


@pytest.mark.parametrize("language", ["ru", "en"])
def test_new_clients_and_all_clients_of_a_month_are_two_cohorts_with_two_names_and_charts(language: str) -> None:
    page = build_page("salon", "cohorts", language, OWNER)
    new, everybody = (table for table in page.list_tables() if table.name.startswith("retention"))
    assert set(new.frame["measure"]) == {"second_visit_90d", "third_visit_180d"}
    assert set(everybody.frame["measure"]) == {"rebook_client_30d_fwd", "rebook_client_60d_fwd"}
    texts = read_texts(language)
    names = [get_title(table, "clients_count", texts) for table in (new, everybody)]
    assert names == (["Новых", "Клиентов"] if language == "ru" else ["New", "Clients"])
    assert [row["rate"] for row in get_chart("salon", "cohorts", "retention_new")] == [0.5]
    said = [chart.alternative for chart in list_blocks(page, Chart)]
    assert ["нов" in text.lower() or "new" in text.lower() for text in said] == [True, False]


def test_a_salon_with_too_few_conversations_is_not_drawn_among_the_others() -> None:
    assert [(row["salon"], row["rate"]) for row in get_chart("chain", "index", "leaderboard")] == [(NAMES[NORTH], 0.25)]
    html = render(build_page("chain", "index", "en", OWNER), "en", OWNER)
    assert NAMES[SOUTH] in html
    assert "100%" not in html
    assert "too few to say" in html


@pytest.mark.parametrize(("language", "words"), [("ru", "мало данных"), ("en", "too few to say")])
def test_the_overview_says_too_few_where_it_must(language: str, words: str) -> None:
    html = render(build_page("salon", "index", language, OWNER), language, OWNER)
    assert html.count(f'<p class="value">{words}</p>') == 2


@pytest.mark.parametrize(("language", "veil"), EDITIONS, ids=[name_edition(*edition) for edition in EDITIONS])
@pytest.mark.parametrize(("site", "name"), PAGES)
def test_a_salon_or_chain_of_which_nothing_is_known_has_every_page(
    site: Site, name: str, language: str, veil: Veil
) -> None:
    frames = make_empty_salon(veil) if site == "salon" else make_empty_chain(veil)
    for has_days in (True, False):
        page = build_page(site, name, language, veil, frames=frames, has_days=has_days, names={})
        html = render(page, language, veil)
        assert not re.search(r"\b(None|nan|NaT)\b", html)


def test_a_salon_of_which_nothing_is_known_says_so() -> None:
    page = build_page("salon", "index", "en", OWNER, frames=make_empty_salon(), has_days=False)
    assert [note.text for note in list_blocks(page, Note)] == ["There is no full day here yet."]
    assert list_blocks(page, Actions)[0].actions == ()
    assert "Nothing urgent today." in render(page, "en", OWNER)


def test_no_figure_of_an_analyst_differs_from_that_of_an_owner() -> None:
    for site, name in PAGES:
        for language in ("ru", "en"):
            both = [build_page(site, name, language, veil) for veil in (OWNER, ANALYST)]
            drawn = [[(chart.name, chart.values) for chart in list_blocks(page, Chart)] for page in both]
            assert drawn[0] == drawn[1]
            counts = [[(table.name, len(table.frame)) for table in page.list_tables()] for page in both]
            assert counts[0] == counts[1]


def test_a_table_shows_no_column_that_its_frame_does_not_have() -> None:
    sessions = build_page("salon", "sessions", "ru", ANALYST).list_tables()[0]
    assert "summary" not in [column.name for column in sessions.shown]
    assert "client_name" in [column.name for column in sessions.shown]
    clients = build_page("salon", "clients", "ru", ANALYST).list_tables()[0]
    assert not {"phone", "digits"} & {column.name for column in clients.shown}


def test_the_fixed_salon_is_as_its_selections_are() -> None:
    assert len(SUMMARIES) == 3
    assert sum(phone is not None for phone in PHONES.values()) == 5
    with pytest.raises(ValueError, match="columns"):
        make_rows("retention", [(1, 2)])


def test_what_is_derived_of_the_marts_is_computed_once_for_every_language_and_anew_for_other_arguments() -> None:
    frames = make_salon(OWNER)
    calls: list[str] = []

    def count_rows(kpis: pd.DataFrame, *, unit: str) -> str:
        calls.append(unit)
        return f"{len(kpis)} {unit}"

    said = [frames.derive(count_rows, name, unit=unit) for name in ("kpis", "sessions") for unit in ("rows", "lines")]
    again = [frames.derive(count_rows, name, unit=unit) for name in ("kpis", "sessions") for unit in ("rows", "lines")]
    assert said == again
    assert (len(set(said)), calls) == (4, ["rows", "lines"] * 2)
    assert make_salon(OWNER).derive(count_rows, "kpis", unit="rows") == said[0]
    assert len(calls) == 5
