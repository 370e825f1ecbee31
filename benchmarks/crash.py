"""Kill the processes of the service at random instants, and count what was lost or doubled.

    python -m benchmarks.crash [--kills 200] [--seed 1]

Two schedulers, two workers and a Slack process run on a PostgreSQL of their own (with fsync) and a Slack
stand-in whose app may read the history. Before each kill one more champion leaves; the victim is any of the
processes or the database server, killed with SIGKILL (the server with SIGQUIT, which is an immediate
shutdown), and started again at once. Printed, as one line of JSON: kills by victim, observations and alerts
lost and doubled, alerts nobody left for, slots with which not even the next slot caught up, seconds until all
had come through, sources given up because five workers died over them, how often a process came to the end
of its start (on a busy machine most are killed before), and the load of the machine. Of the slots that nobody
claimed it prints how many there were, and for how many seconds at most a scheduler and the database lived
together in one of them. Exits with 1 where anything was lost, doubled or missed. `--keep` names a new folder
where configurations and logs stay.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from tests.faults.fleet import EVERY, Fleet, Storm, as_line, sailing
from tests.servers import postgres, slack

REPS = 4
WRONG = (
    "observations_lost",
    "observations_doubled",
    "alerts_lost",
    "alerts_doubled",
    "alerts_unfounded",
    "slots_missed",
)


def main() -> int:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    reps = [f"rep{number}@vendor.example" for number in range(REPS)]
    with (
        postgres.running(durable=True) as server,
        slack.workspace(reps=REPS) as workspace,
        tempfile.TemporaryDirectory() as scratch,
    ):
        folder = options.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        workspace.show_channel("champions", is_private=True)
        fleet = Fleet(folder, server.new_database(), workspace, options.kills, reps)
        with sailing(fleet):
            storm, began = Storm(fleet, server, options.seed), datetime.now(UTC)
            storm.rage(options.kills)
            raged = time.monotonic()
            storm.settle()
            unclaimed = fleet.unclaimed(began)
            lived = [fleet.lived(slot, slot + EVERY).total_seconds() for slot in unclaimed]
            result = {
                "seed": options.seed,
                **storm.result(),
                "starts": len(fleet.events("service.started")),
                "slots_missed": len(fleet.missed(began)),
                "slots_unclaimed": len(unclaimed),
                "lived_in_one_s": round(max(lived, default=0.0), 1),
                "settled_s": round(time.monotonic() - raged, 1),
                "rescued": len(fleet.events("job.rescued")),
                "given_up": len(fleet.events("job.given_up")),
                "tracebacks": len(fleet.events("look.failed")) + len(fleet.events("job.failed")),
                "load": round(os.getloadavg()[0], 1),
            }
    print(as_line(result))
    return int(any(result[what] for what in WRONG))


if __name__ == "__main__":
    sys.exit(main())
