"""Measure how fast mail is read, and with how much memory, beside other bounce parsers, in one run.

    python benchmarks/mail.py --corpus FOLDER [--copies 10] [--rounds 3]

FOLDER holds one mail a file. Each program runs as a process of its own over the same folder, in turn, once to
warm up, and then the best of the rounds counts. Peers that are not installed are left out: flufl.bounce
(PyPI) and Sisimai (the package libsisimai-perl of Debian). `parse` is what merely parsing the same mails
takes in memory with `email.message_from_bytes`. Prints one line of JSON for each program, and one with the
ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PARSE = """
import email, pathlib, sys, time
raw = [path.read_bytes() for path in sorted(pathlib.Path(sys.argv[1]).iterdir())]
began = time.perf_counter()
for mail in raw:
    email.message_from_bytes(mail)
print(time.perf_counter() - began)
"""

FLUFL = """
import email, pathlib, sys
from flufl.bounce import all_failures
for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    try:
        all_failures(email.message_from_bytes(path.read_bytes()))
    except Exception as error:
        print(path.name, type(error).__name__, file=sys.stderr)
"""

SISIMAI = "use Sisimai; my $said = Sisimai->dump($ARGV[0]); print length($said), chr(10);"

SLOWING = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED")
"""What a container sets for Python and an installation does not: no program is measured with it."""

ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in SLOWING}

STILLTHERE = [sys.executable, "-m", "bot", "read", "--json"]


@dataclass(frozen=True)
class Run:
    """What one process took: seconds of wall clock, seconds of CPU, and its peak memory in MB."""

    seconds: float
    cpu: float
    memory: float
    output: str


def run(command: Sequence[str]) -> Run:
    """Run a program to its end."""
    began = time.perf_counter()
    with (
        tempfile.TemporaryFile() as out,
        subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL, env=ENVIRONMENT) as process,
    ):
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - began
        out.seek(0)
        output = out.read(200).decode("utf-8", "replace")
    if process.returncode:
        raise SystemExit(f"{command[0]} failed with status {process.returncode}")
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, output)


def best(command: Sequence[str], rounds: int) -> Run:
    """Run a program once to warm up, then several times, and return the quickest."""
    run(command)
    return min((run(command) for _ in range(rounds)), key=lambda done: done.seconds)


def programs(folder: Path) -> Mapping[str, Sequence[str]]:
    """Return what can be measured here."""
    found: dict[str, Sequence[str]] = {"stillthere": [*STILLTHERE, str(folder)]}
    if not subprocess.run(
        [sys.executable, "-c", "import flufl.bounce"], capture_output=True, check=False
    ).returncode:
        found["flufl.bounce"] = [sys.executable, "-c", FLUFL, str(folder)]
    perl = shutil.which("perl")
    if (
        perl
        and not subprocess.run([perl, "-MSisimai", "-e", "1"], capture_output=True, check=False).returncode
    ):
        found["sisimai"] = [perl, "-e", SISIMAI, str(folder)]
    return found


def fill(folder: Path, corpus: Path, copies: int) -> int:
    """Copy the corpus so many times into a folder; return how many mails that makes."""
    folder.mkdir()
    mails = [path for path in sorted(corpus.iterdir()) if path.is_file()]
    for copy in range(copies):
        for path in mails:
            shutil.copyfile(path, folder / f"{copy:03}-{path.name}")
    return len(mails) * copies


def second_pass(work: Path, folder: Path, new: Path) -> dict[str, float]:
    """Measure `check --data` over a folder: the first pass, one with nothing new, one with a new mail."""
    contacts = work / "contacts.csv"
    contacts.write_text("email\njane@acme.example\n")
    command = [
        sys.executable,
        "-m",
        "bot",
        "check",
        "--contacts",
        str(contacts),
        "--our-domain",
        "vendor.example",
    ]
    command += ["--mail", str(folder), "--data", str(work / "data"), "--json"]
    first, again = run(command), run(command)
    shutil.copyfile(new, folder / "new.eml")
    return {
        "first_s": round(first.cpu, 2),
        "nothing_new_s": round(again.cpu, 2),
        "one_new_s": round(run(command).cpu, 2),
    }


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpus", required=True, type=Path, help="a folder with one mail a file")
    parser.add_argument("--copies", type=int, default=10, help="how many times over the corpus is read")
    parser.add_argument("--rounds", type=int, default=3, help="how often each program runs; the best counts")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        folder = work / "mails"
        mails = fill(folder, options.corpus, options.copies)
        half = fill(work / "half", options.corpus, max(1, options.copies // 2))
        parsing = min(
            float(run([sys.executable, "-c", PARSE, str(folder)]).output) for _ in range(options.rounds)
        )
        speeds = {"parse": mails / parsing}
        print(json.dumps({"program": "parse", "mails": mails, "mails_per_s": round(mails / parsing)}))
        memory = 0.0
        for name, command in programs(folder).items():
            done = best(command, options.rounds)
            speeds[name] = mails / done.seconds
            memory = done.memory if name == "stillthere" else memory
            line = {"program": name, "mails": mails, "seconds": round(done.seconds, 2)}
            print(json.dumps({**line, "mails_per_s": round(speeds[name]), "peak_mb": round(done.memory, 1)}))
        smaller = best([*STILLTHERE, str(work / "half")], options.rounds)
        whole = best([*STILLTHERE, str(folder)], options.rounds)
        nothing = best([*STILLTHERE, str(next(folder.iterdir()))], options.rounds)
        slope = (whole.cpu - nothing.cpu) / max(smaller.cpu - nothing.cpu, 1e-6)
        ratios = {
            f"of_{name}": round(speeds["stillthere"] / speed, 2)
            for name, speed in speeds.items()
            if name != "stillthere"
        }
        linear = {"times_the_mails": round(mails / half, 2), "times_the_cpu": round(slope, 2)}
        print(json.dumps({"stillthere": ratios, "peak_mb": round(memory, 1), **linear}))
        print(json.dumps({"check": second_pass(work, folder, next(options.corpus.iterdir()))}))


if __name__ == "__main__":
    main()
