from __future__ import annotations

import json
import logging
import sys
from typing import Any

import pytest
import structlog

from bot.logs import configure


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    captured = capsys.readouterr()
    assert captured.out == ""
    return [json.loads(line) for line in captured.err.splitlines()]


def fail(password: str) -> None:
    body = f"Dear Ann, {password}"
    raise ValueError(f"{len(body)} is too much")


def log_a_failure() -> None:
    try:
        fail("hunter2")
    except ValueError:
        structlog.get_logger().exception("look.failed", source="mailbox:sales")


def test_each_event_of_a_service_is_one_json_object_with_its_time(capsys: pytest.CaptureFixture[str]) -> None:
    configure(service=True)
    structlog.get_logger().info("source.read", source="mailbox:sales", items=3)
    [line] = lines(capsys)
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "source.read", "level": "info", "source": "mailbox:sales", "items": 3}


@pytest.mark.parametrize(
    ("verbose", "service", "said"),
    [
        (False, False, []),
        (True, False, ["info", "warning", "error"]),
        (False, True, ["info", "warning", "error"]),
        (True, True, ["debug", "info", "warning", "error"]),
    ],
)
def test_a_service_says_what_happens_and_a_command_only_when_asked_to(
    capsys: pytest.CaptureFixture[str], *, verbose: bool, service: bool, said: list[str]
) -> None:
    configure(verbose=verbose, service=service)
    for level in ("debug", "info", "warning", "error"):
        getattr(structlog.get_logger(), level)("event")
    assert [line["level"] for line in lines(capsys)] == said


@pytest.mark.parametrize("verbose", [False, True])
def test_a_traceback_shows_where_but_no_local_variable(
    capsys: pytest.CaptureFixture[str], *, verbose: bool
) -> None:
    configure(service=True, verbose=verbose)
    log_a_failure()
    [line] = lines(capsys)
    assert line["exception"][0]["exc_value"] == "17 is too much"
    assert line["exception"][0]["frames"][-1]["name"] == "fail"
    assert "Dear Ann" not in json.dumps(line)


def test_a_traceback_at_a_terminal_shows_no_local_variable_either(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    configure(service=True)
    log_a_failure()
    shown = capsys.readouterr().err
    assert "is too much" in shown
    assert not shown.startswith("{")
    assert "Dear Ann" not in shown


def test_at_a_terminal_the_lines_are_for_people(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    configure(service=True)
    structlog.get_logger().info("source.read", items=3)
    shown = capsys.readouterr().err
    assert "source.read" in shown
    assert not shown.startswith("{")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("mailbox:sales@vendor.example", "mailbox:s…@vendor.example"),
        ("no such user <jane.doe@acme.example>, sorry", "no such user <j…@acme.example>, sorry"),
        ("/var/vmail/bob@vendor.example/cur", "/var/vmail/b…@vendor.example/cur"),
        (["a@b.example", {"to": "jürg@b.example"}], ["a…@b.example", {"to": "j…@b.example"}]),
        ("token xoxb-12-34-abcDEF refused", "token xoxb-… refused"),
        ("at 9 @ noon", "at 9 @ noon"),
        (5, 5),
    ],
)
def test_addresses_and_tokens_are_shortened_wherever_they_stand(
    capsys: pytest.CaptureFixture[str], value: object, shown: object
) -> None:
    configure(service=True)
    structlog.get_logger().warning("source.down", what=value)
    assert lines(capsys)[0]["what"] == shown


def test_an_address_in_an_error_message_is_shortened_too(capsys: pytest.CaptureFixture[str]) -> None:
    configure(service=True)
    try:
        dict[str, int]()["jane@acme.example"]
    except LookupError:
        structlog.get_logger().exception("look.failed")
    written = json.dumps(lines(capsys), ensure_ascii=False)
    assert "j…@acme.example" in written
    assert "jane@" not in written


def test_whoever_asks_for_more_sees_whole_addresses_but_no_token(capsys: pytest.CaptureFixture[str]) -> None:
    configure(verbose=True)
    structlog.get_logger().warning(
        "mail_skipped", mail="jane@acme.example", why=["xoxb-12-34-abcDEF refused"]
    )
    [line] = lines(capsys)
    assert (line["mail"], line["why"]) == ("jane@acme.example", ["xoxb-… refused"])


def test_shortening_a_long_hostile_value_takes_no_time(capsys: pytest.CaptureFixture[str]) -> None:
    configure(service=True)
    structlog.get_logger().warning("source.down", what="a" * 200_000 + "xox" * 50_000)
    assert len(lines(capsys)) == 1


def test_what_libraries_log_has_the_same_form(capsys: pytest.CaptureFixture[str]) -> None:
    configure(service=True)
    try:
        fail("hunter2")
    except ValueError:
        logging.getLogger("slack_bolt").exception("cannot reach %s", "ann@vendor.example")
    logging.getLogger("slack_bolt").info("chatter")
    [line] = lines(capsys)
    assert (line["event"], line["level"]) == ("cannot reach a…@vendor.example", "error")
    assert "Dear Ann" not in json.dumps(line)


def test_the_scheduler_does_not_repeat_what_the_schedule_says(capsys: pytest.CaptureFixture[str]) -> None:
    configure(service=True)
    logging.getLogger("apscheduler.executors.default").error("Job raised an exception")
    assert lines(capsys) == []


def test_configuring_twice_says_nothing_twice(capsys: pytest.CaptureFixture[str]) -> None:
    configure(service=True)
    configure(service=True)
    logging.getLogger("slack_bolt").warning("once")
    structlog.get_logger().info("event")
    assert [line["event"] for line in lines(capsys)] == ["once", "event"]
