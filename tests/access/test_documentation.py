"""What people read about personal columns is what the marts' YAML says."""

from __future__ import annotations

from access.documentation import TARGET, render_columns


def test_the_page_of_personal_columns_is_current() -> None:
    page = render_columns()
    assert TARGET.read_text(encoding="utf-8") == page, "run `make docs`"
    assert "| `clients` | `phone` | pii |" in page
