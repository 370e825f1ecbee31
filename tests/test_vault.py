from __future__ import annotations

import base64
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.model import NeedsHuman
from bot.vault import Spoiled, Vault, new_key

VAULT = Vault([new_key()])
PLANTED = "rt-planted-refresh-token"


def test_what_was_sealed_opens_and_shows_nothing() -> None:
    vault = Vault([new_key()])
    sealed = vault.seal({"refresh": PLANTED})
    assert PLANTED not in sealed
    assert vault.open(sealed) == {"refresh": PLANTED}


def test_what_was_altered_or_sealed_under_another_key_does_not_open() -> None:
    vault = Vault([new_key()])
    sealed = vault.seal(1)
    for other in (sealed[:-2] + "AA", sealed[:40], "", "é", Vault([new_key()]).seal(1)):
        with pytest.raises(Spoiled):
            vault.open(other)


def test_what_is_too_old_does_not_open() -> None:
    key = new_key()
    old = Fernet(key).encrypt_at_time(b"1", 1_000_000_000).decode()
    assert Vault([key]).open(old) == 1
    with pytest.raises(Spoiled):
        Vault([key]).open(old, timedelta(days=1))


def test_a_key_is_changed_by_putting_a_new_one_before_it() -> None:
    old, new = new_key(), new_key()
    sealed = Vault([old]).seal("token")
    both = Vault([new, old])
    renewed = both.renewed(sealed)
    assert renewed != sealed
    assert both.renewed(renewed) == renewed
    assert Vault([new]).open(renewed) == "token"
    with pytest.raises(Spoiled):
        Vault([old]).open(renewed)
    with pytest.raises(Spoiled):
        Vault([new]).renewed(sealed)


def test_keys_come_from_a_file_or_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = new_key(), new_key()
    path = tmp_path / "keys"
    path.write_text(f"{second}\n{first}\n")
    monkeypatch.setenv("KEYS", f"{first}, {second}")
    sealed = Vault.of("KEYS", None).seal(1)
    assert Vault([first]).open(sealed) == 1
    assert Vault.of("KEYS", path).open(sealed) == 1


@pytest.mark.parametrize("text", ["", "  \n", "secret-that-is-no-key", "Ω" * 10])
def test_a_key_that_is_none_is_said_and_not_repeated(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEYS", text)
    with pytest.raises(NeedsHuman) as problem:
        Vault.of("KEYS", None)
    assert "stillthere connect key" in problem.value.how
    assert "secret-that" not in f"{problem.value!r} {problem.value.__cause__!r}"


def test_a_key_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(NeedsHuman, match="cannot be read"):
        Vault.of("KEYS", tmp_path / "none")


@settings(max_examples=40, deadline=None)
@given(
    st.text(max_size=200) | st.binary(max_size=200).map(lambda raw: base64.urlsafe_b64encode(raw).decode())
)
def test_nothing_that_was_not_sealed_opens(text: str) -> None:
    with pytest.raises(Spoiled):
        VAULT.open(text)
    with pytest.raises(Spoiled):
        VAULT.renewed(text)
