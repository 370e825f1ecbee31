from __future__ import annotations

from pathlib import Path

import pytest

from bot.model import NeedsHuman
from watchers.secret import LARGEST, Secret


def test_a_secret_in_a_file_counts_before_one_in_a_variable_and_is_read_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_SECRET", " of the variable\n")
    assert Secret("A_SECRET", None, "rita").read() == "of the variable"
    path = tmp_path / "secret"
    path.write_text("of the file\n")
    secret = Secret("A_SECRET", path, "rita")
    assert secret.read() == "of the file"
    path.write_text("renewed")
    assert secret.read() == "renewed"
    assert secret.where == str(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [(b" \n", "is empty"), (b"\xff\xfe", "it is no text"), (None, "No such file")],
)
def test_a_file_without_a_secret_is_named_with_whose_secret_belongs_there(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(NeedsHuman, match=said) as told:
        Secret("", path, "rita").read()
    assert str(path) in told.value.what
    assert told.value.how == "put the secret of rita there"


def test_a_file_that_has_no_end_is_read_in_part() -> None:
    with pytest.raises(NeedsHuman, match="it is no text"):
        Secret("", Path("/dev/urandom"), "rita").read()
    assert len(Secret("", Path("/dev/zero"), "rita").read()) == LARGEST


def test_a_token_is_what_stands_there_without_the_line_around_it(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(" ya29.a-token \n")
    assert Secret("", path, "rita").token() == "ya29.a-token"


@pytest.mark.parametrize("token", ["two\nlines", "Ünicode", "a\x00b"])
def test_what_cannot_travel_in_a_header_is_no_token(tmp_path: Path, token: str) -> None:
    path = tmp_path / "token"
    path.write_text(token)
    with pytest.raises(NeedsHuman, match="holds no token") as told:
        Secret("", path, "rita").token()
    assert token not in str(told.value)
