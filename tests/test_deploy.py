from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot import metrics
from bot.metrics import Metrics
from bot.service import now

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
UNIT = (DEPLOY / "stillthere.service").read_text()
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
OURS = ("stillthere", "scheduler", "worker", "slack")


def final_stage() -> list[str]:
    return DOCKERFILE.rpartition("\nFROM ")[2].splitlines()


def test_the_image_runs_as_nobody_in_particular_and_holds_nothing_that_compiles() -> None:
    lines = final_stage()
    users = [line.split()[1] for line in lines if line.startswith("USER ")]
    assert users == ["10001:10001"]
    assert not any(word in "\n".join(lines) for word in ("apt-get", "gcc", "uv sync", "COPY . "))
    assert any("healthz" in line for line in lines)
    assert any(line.startswith("ENTRYPOINT [") for line in lines)


def test_the_image_is_built_from_the_lock_file_and_code_alone() -> None:
    assert DOCKERFILE.count("uv sync --locked") == 2
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text().split()
    assert "*" in ignored
    assert {line for line in ignored if line.startswith("!")} == {
        "!pyproject.toml",
        "!uv.lock",
        "!README.md",
        "!LICENSE",
        "!bot",
        "!watchers",
    }


@pytest.mark.parametrize("name", OURS)
def test_every_container_of_ours_is_read_only_and_may_do_nothing_special(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["read_only"] is True
    assert service["user"] == "10001:10001"
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
    assert set(service["secrets"]) <= set(COMPOSE["secrets"])
    assert "environment" not in service


def test_compose_runs_one_process_with_a_volume_or_each_role_on_postgresql() -> None:
    by_profile: dict[str, set[str]] = {}
    for name, service in COMPOSE["services"].items():
        for profile in service["profiles"]:
            by_profile.setdefault(profile, set()).add(name)
    assert by_profile == {"one": {"stillthere"}, "many": {"scheduler", "worker", "slack", "database"}}
    roles = {COMPOSE["services"][name]["command"][-1] for name in ("scheduler", "worker", "slack")}
    assert roles == {"scheduler", "worker", "slack"}
    assert all(secret["file"].startswith("./secrets/") for secret in COMPOSE["secrets"].values())


def test_the_unit_has_its_own_user_secrets_by_systemd_and_a_read_only_system() -> None:
    for line in (
        "DynamicUser=yes",
        "ProtectSystem=strict",
        "NoNewPrivileges=yes",
        "CapabilityBoundingSet=",
        "StateDirectoryMode=0700",
        "UMask=0077",
    ):
        assert f"\n{line}\n" in UNIT
    assert "\nLoadCredential=" in UNIT
    assert "\nMemoryMax=" in UNIT
    assert "Environment" not in UNIT


def test_systemd_understands_the_unit_and_finds_little_exposed(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not on this machine")
    unit = tmp_path / "stillthere.service"
    unit.write_text(UNIT.replace("/opt/stillthere/bin/stillthere", "/bin/true"))
    verified = subprocess.run(
        ["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False
    )
    assert "stillthere" not in verified.stderr
    rated = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=20", unit],
        capture_output=True,
        text=True,
        check=False,
    )
    assert rated.returncode == 0, rated.stdout[-300:]


def test_the_example_rules_name_metrics_that_there_are() -> None:
    rules = yaml.safe_load((DEPLOY / "alerts.yaml").read_text())["groups"][0]["rules"]
    measured = Metrics(now)
    there = {f"{family.name}" for family in measured.registry.collect()}
    named = [
        word for rule in rules for word in _words(rule["expr"]) if word.startswith(f"{metrics.NAMESPACE}_")
    ]
    assert len(named) >= 5
    for name in named:
        assert name.removesuffix("_total").removesuffix("_bucket") in there


def test_every_metric_is_documented() -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    for family in Metrics(now).registry.collect():
        assert f"`{family.name}" in page


def _words(expression: str) -> list[str]:
    return "".join(c if c.isalnum() or c == "_" else " " for c in expression).split()


def test_it_is_set_up_under_a_path_with_a_space(tmp_path: Path) -> None:
    folder = tmp_path / "my projects"
    folder.mkdir()
    for name in ("Makefile", "pyproject.toml", "uv.lock"):
        shutil.copy(ROOT / name, folder)
    told = subprocess.run(["make", "-n", "demo"], cwd=folder, capture_output=True, text=True, check=True)
    (sync,) = (shlex.split(line) for line in told.stdout.splitlines() if " sync " in line)
    assert f"VIRTUAL_ENV={folder}/.venv" in sync
    assert sync[2:4] == [".venv/bin/uv", "sync"]
