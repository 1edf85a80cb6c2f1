"""What may not be read anywhere: secrets, and how people are reached (issue 7, "Secrets"; REQUIREMENTS D4).

Two halves. ``FREE_TEXT_PATTERNS`` find e-mail addresses, card numbers and phones in what people wrote, as the macro
`redacted_text` of dbt does with patterns that Postgres is quick with (tests/dbt/test_redaction.py holds the two against
one another). ``scrub`` is for what this project writes itself (errors, logs, alerts):
those three, and what stands under a key that looks like a secret's, and what has the shape of one.

A rule that must be kept cannot be exact: a run of 10 to 15 digits by itself is a phone, also where it is an id. Ids of
messages have fewer. Kept are nearly all UUIDs, times and dates, decimals, numbers with commas, hashes and `host:port`.
"""

from __future__ import annotations

import re
from types import MappingProxyType

MASK = "***"

_IN_CARD = r"[ \t\u00a0\u2000-\u2015\u202a-\u202f\u2060-\u2069\u2212.-]{1,3}"
_EMAIL = r"(?<![\w.+%-])[\w.+%-]+@[\w-]+(?:\.[\w-]+)+(?![\w-]|\.\w|:[0-9]{1,5}/)"
_CARD = (
    # First digits that no year has: 2200 and up, 3 to 6, 8, 9.
    r"(?<![0-9A-Fa-f])(?=2[2-7]|[345689])(?:"
    rf"[0-9]{{4}}(?:{_IN_CARD}[0-9]{{4}}){{2,3}}{_IN_CARD}[0-9]{{1,7}}"
    rf"|[0-9]{{4}}{_IN_CARD}[0-9]{{6}}{_IN_CARD}[0-9]{{4,5}}"
    rf"|[0-9]{{8}}{_IN_CARD}[0-9]{{8}}"
    r"|[0-9]{16,19})(?![0-9A-Za-z_])"
)
# Letter by letter what the macro `phone_pattern` of dbt writes, which says what each line is for.
_SIGNS = r" \t\u00a0\u00ad\u2000-\u2015\u202a-\u202f\u2060-\u2069\u2212\u3000\ufeff()~.-"
_CLOSE, _BETWEEN, _LINE = rf"[{_SIGNS}]", rf"[][/{_SIGNS}]", rf"[][/\r\n{_SIGNS}]"
_BEFORE, _BEFORE_ZERO = "(?<![0-9A-Fa-f])", "(?<![0-9A-Fa-f-])"
_AFTER = "(?![0-9A-Fa-f]|[.:-][0-9])"
_NO_DAY = "(?!(?:[0-2]?[0-9]|3[01])[./](?:0?[1-9]|1[0-2])[./](?:20)?[0-9]{2}(?![0-9]))"
_PHONE = "|".join((
    rf"(?<![0-9])[+]{_LINE}{{0,2}}(?:7(?:{_LINE}{{0,3}}[0-9]){{10}}"
    rf"|[1-689](?:{_LINE}{{0,3}}[0-9]){{8}}(?:{_BETWEEN}{{0,3}}[0-9]){{0,6}})(?![0-9])",
    rf"{_BEFORE_ZERO}00{_BETWEEN}{{0,2}}[1-9](?:{_BETWEEN}{{0,3}}[0-9]){{8,13}}{_AFTER}",
    rf"{_BEFORE}[78]{_BETWEEN}{{0,3}}[34789][0-9]{{2}}(?:{_LINE}{{0,3}}[0-9]){{7}}{_AFTER}",
    rf"{_BEFORE}[78] ?[\r\n]{{1,2}} ?[(]?[34789][0-9]{{2}}(?:{_BETWEEN}{{0,3}}[0-9]){{7}}{_AFTER}",
    rf"{_BEFORE}8{_BETWEEN}{{0,3}}0[1-9][0-9](?:{_LINE}{{0,3}}[0-9]){{7}}{_AFTER}",
    rf"{_BEFORE}(?:37|38|99)[0-9]{_BETWEEN}{{1,3}}[0-9]{{2}}(?:{_BETWEEN}{{0,3}}[0-9]){{7}}{_AFTER}",
    rf"{_BEFORE}38{_BETWEEN}{{1,3}}0[1-9][0-9](?:{_BETWEEN}{{0,3}}[0-9]){{7}}{_AFTER}",
    rf"{_BEFORE}[(]?[3489][0-9]{{2}}{_CLOSE}{{1,3}}(?:[0-9]{_CLOSE}{{0,2}}){{6}}[0-9]{_AFTER}",
    rf"{_BEFORE}[(]?[3489][0-9]{{2}}[)]?(?:/|[\r\n]{{1,2}})[0-9]{{3}}[ -]?[0-9]{{2}}[ -]?[0-9]{{2}}{_AFTER}",
    rf"{_BEFORE_ZERO}[(]0[1-9][0-9]{{0,3}}[)](?:{_LINE}{{0,3}}[0-9]){{6,8}}{_AFTER}",
    rf"{_BEFORE_ZERO}0[1-9](?:(?:[ \u00a0]{{1,2}}[0-9]{{2}}){{4}}|(?:-[0-9]{{2}}){{4}}"
    rf"|(?:[.][0-9]{{2}}){{4}}|(?:/[0-9]{{2}}){{4}}){_AFTER}",
    rf"{_BEFORE_ZERO}0[1-9](?:/|[ \u00a0-]{{1,3}})(?!20[0-9]{{2}}(?![0-9]))[0-9]{{3,4}}"
    rf"(?:{_BETWEEN}{{0,3}}[0-9]){{4,5}}{_AFTER}",
    rf"{_BEFORE_ZERO}0[1-9] [0-9]{{2}} (?:[0-9]{{3}}[ -][0-9]{{4}}|[0-9]{{2}} [0-9]{{4}}){_AFTER}",
    rf"{_BEFORE_ZERO}0[1-9][0-9]{_LINE}{{1,3}}{_NO_DAY}[0-9](?:{_LINE}{{0,3}}[0-9]){{6,7}}{_AFTER}",
    rf"{_BEFORE_ZERO}0[1-9][0-9]{{2}}{_LINE}{{1,3}}{_NO_DAY}[0-9](?:{_LINE}{{0,3}}[0-9]){{4,7}}{_AFTER}",
    rf"{_BEFORE_ZERO}0[1-9][0-9]{{3}}{_LINE}{{1,3}}{_NO_DAY}[0-9](?:{_LINE}{{0,3}}[0-9]){{4,6}}{_AFTER}",
    rf"{_BEFORE_ZERO}0[1-9][0-9]{_LINE}{{1,3}}(?:[0-9]{{6}}|[0-9]{{2}}[ -][0-9]{{2}}[ -][0-9]{{2}}"
    rf"|[0-9]{{3}}[ -](?!000)[0-9]{{3}}){_AFTER}",
    rf"{_BEFORE_ZERO}0[1-9][0-9]{{4}}[ -][0-9]{{5}}{_AFTER}",
    rf"{_BEFORE_ZERO}[(]0[ -][1-9][0-9]{{1,2}}[)](?:{_BETWEEN}{{0,3}}[0-9]){{5,6}}{_AFTER}",
    rf"{_BEFORE_ZERO}0 ?[(][1-9][0-9]{{1,4}}[)](?:{_BETWEEN}{{0,3}}[0-9]){{5,8}}{_AFTER}",
    rf"{_BEFORE_ZERO}0[ -][1-9][0-9]{{1,2}}[ -][0-9]{{3}}[ -][0-9]{{2}}[ -]?[0-9]{{2}}{_AFTER}",
    rf"{_BEFORE}(?:[0-9]{{10,11}}|[0-9]{{13,15}})(?![0-9A-Fa-f])",
    r"(?<![0-9A-Fa-f-])[0-9]{12}(?![0-9A-Fa-f])",
    r"[G-Zg-z_][A-Fa-f]{1,3}(?:[78][0-9]{10}|0[0-9]{9})(?![0-9A-Fa-f])",
))  # fmt: skip

FREE_TEXT_PATTERNS = MappingProxyType({"e-mail": _EMAIL, "card": _CARD, "phone": _PHONE})
"""Regular expressions by what they find, in the order in which they are to be used: a found place becomes `[e-mail]` …

They mean the same to Python's `re` and to PostgreSQL (advanced, case-sensitive): no `\b`, no lazy quantifiers,
look-behinds of one width. Cards are found by their shape; ``scrub`` holds them against their check digit besides.
"""

FREE_TEXT_HINT = r"@|(?:[0-9][^0-9]{0,3}){8}[0-9]"
"""What every text has that one of the patterns is found in: Postgres looks for it fifty times as quickly."""

# As JSON may have it, too: \u043f\u0430…
_RUSSIAN = "|".join(
    "".join(rf"(?:{sign}|[\\]+u{ord(sign):04x}|[\\]+u{ord(sign.upper()):04x})" for sign in word)
    for word in ("пароль", "токен", "секрет")
)
_KEY = re.compile(
    r"(?:token|secret|passw(?:or)?d|passphrase|pwd|(?:api|private|access|signing|encryption)[\s_.-]?keys?|credential"
    rf"|authori[sz]ation|cookie|webhook|bearer|jwt|(?<![a-z])auth(?![a-z])|{_RUSSIAN})"
    # The rest of the key, the quotes that close it, and what divides it from its value.
    r"[\w-]{0,40}(?P<closing>[\\]*[\"']{0,2})\s*(?P<divider>=>|[:=])\s*",
    re.IGNORECASE,
)
_LINE_LONG = re.compile(r"authori[sz]ation|cookie", re.IGNORECASE)
"""Headers, whose value without quotes is the whole line."""
_SHAPES = (
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
    re.compile(r"(?<![0-9])[0-9]{6,}:[A-Za-z0-9_-]{30,}"),  # a Telegram bot's
    re.compile(r"eyJ[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]+){1,2}"),  # a JWT
    re.compile(r"(?<![A-Za-z0-9])(?:sk|pk|rk|gh[pousr]|xox[a-z]|glpat)[-_][A-Za-z0-9_-]{16,}"),
    re.compile(r"(?<![A-Za-z0-9])AKIA[A-Z0-9]{16}(?![A-Za-z0-9])"),
    re.compile(r"(?<=hooks\.slack\.com/)[^\s\"'<>]+|(?<=/api/webhooks/)[^\s\"'<>]+"),
    re.compile(r"(?<=\bbearer )\s*[A-Za-z0-9._~+/=-]{6,}|(?<=\bbasic )\s*[A-Za-z0-9+/=]{8,}", re.IGNORECASE),
)
_IN_URL = re.compile(r"(://[^:/@\s\"']*:)(?!password@)[^\s\"'<>]*@")
_CUT_URL = re.compile(r"(postgres(?:ql)?://[^:/@\s]*:)(?![0-9]{1,5}(?:[/?\s,;)]|$))[^@\s]+$", re.MULTILINE)
# A password that nobody escaped may hold anything: up to the last @ of the line.
_POSTGRES_URL = re.compile(
    r"(postgres(?:ql)?://[^:/@\s\"']*:)(?!password@)(?![0-9]{1,5}(?:[/?\s,;)]|$))[^\r\n]*@", re.IGNORECASE
)
_ROW_VALUE = re.compile(r"(: |\b(?:value|time zone) )\"(?:.*\"|.*$)|(=|\bcontains )\(.*\)")
_FREE_TEXT = {name: re.compile(pattern) for name, pattern in FREE_TEXT_PATTERNS.items()}
_OPENING = re.compile(r"[\\]*[\"']")


def scrub(text: str) -> str:
    """Return the text without secrets, e-mail addresses, phones and card numbers; the rest is as it was.

    A secret is a password in a URL or among libpq's key words, whatever stands under a key that looks like a secret's
    (in JSON, also escaped, nested or cut off, in Python's spelling, or as `key=value`), and what has the shape of one.
    """
    text = _hide_keyed(redact(text))
    for shape in _SHAPES:
        text = shape.sub(MASK, text)
    for name, pattern in _FREE_TEXT.items():
        text = pattern.sub(_HIDE.get(name, f"[{name}]"), text)
    return text


def scrub_error(text: str) -> str:
    """Return the first line of an error that a database may have reported, scrubbed, without what stood in rows.

    Further lines of Postgres' (DETAIL, CONTEXT, LINE) hold values of rows, which may be anybody's name; the first
    quotes them as `invalid input …: "value"`, `Key (phone)=(value)` and `row contains (…)`.
    """
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return scrub(_ROW_VALUE.sub(r"\1\2…", line))


def redact(text: str) -> str:
    """Return the text without passwords that stand in URLs."""
    text = _POSTGRES_URL.sub(rf"\1{MASK}@", text)
    return _CUT_URL.sub(rf"\1{MASK}", _IN_URL.sub(rf"\1{MASK}@", text))


def _hide_card(found: re.Match[str]) -> str:
    digits = [int(sign) for sign in found[0] if sign.isdigit()]
    doubled = sum(sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
    return "[card]" if (sum(digits[-1::-2]) + doubled) % 10 == 0 else found[0]


def _hide_phone(found: re.Match[str]) -> str:
    """Digits after a decimal point are none: logs are full of measured times."""
    is_fraction = found[0].isdigit() and re.search(r"[0-9][.]\Z", found.string[: found.start()][-2:])
    return found[0] if is_fraction else "[phone]"


_HIDE = {"card": _hide_card, "phone": _hide_phone}


def _hide_keyed(text: str) -> str:
    kept, place = [], 0
    while (key := _KEY.search(text, place)) is not None:
        end = _find_value_end(text, key)
        value = text[key.end() : end]
        opening = _find_opening(value)
        is_closed = bool(opening) and len(value) >= 2 * len(opening) and value.endswith(opening)
        kept += [text[place : key.end()], opening, MASK if value else "", opening if is_closed else ""]
        place = end
    return "".join([*kept, text[place:]])


def _find_opening(value: str) -> str:
    """The quotes that a value begins with: one, behind as many backslashes as it was escaped, or CSV's doubled one."""
    quote = _OPENING.match(value)
    if quote is None:
        return ""
    is_doubled = re.match(r"([\"'])\1(?![\s,;:)\]}]|$)", value) is not None
    return value[:2] if is_doubled else quote[0]


def _find_value_end(text: str, key: re.Match[str]) -> int:
    start = key.end()
    opening = _find_opening(text[start : start + 64])
    if opening:
        return _find_closing(text, start + len(opening), opening)
    if text[start : start + 1] in ("{", "["):
        return _find_bracket(text, start)
    # Within JSON a number or a word; else, as in `password=…`, whatever is no blank.
    unquoted = r"[\r\n]" if _LINE_LONG.search(key[0]) else r"[\s\"']"
    stop = r"[\s,;}\]\"']" if key["closing"] else unquoted
    found = re.compile(stop).search(text, start)
    return found.start() if found else len(text)


def _find_closing(text: str, place: int, opening: str) -> int:
    """The place behind the quotes that close a string; the text's end where it was cut."""
    quote, depth = opening[-1], len(opening) - 1
    if len(opening) == 2 and opening[0] == quote:
        found = text.find(opening, place)
        return found + 2 if found >= 0 else len(text)
    closing = re.compile(rf"([\\]*){quote}")
    while (run := closing.search(text, place)) is not None:
        place, escapes = run.end(), len(run[1])
        if escapes < depth:
            return run.start()  # the string around it ends here, because this one was cut
        if escapes % (2 * (depth + 1)) == depth:
            if escapes or not text.startswith(quote, place):
                return place
            place += 1  # doubled, as SQL has a quote within a string
    return len(text)


def _find_bracket(text: str, start: int) -> int:
    """The place behind the bracket that closes an object or a list; the text's end where it was cut."""
    depth, place = 0, start
    while place < len(text):
        sign = text[place]
        quote = _OPENING.match(text, place)
        if quote is not None:
            place = _find_closing(text, quote.end(), quote[0])
            continue
        depth += (sign in "{[") - (sign in "}]")
        place += 1
        if depth == 0:
            return place
    return len(text)
