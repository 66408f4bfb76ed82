# SPDX-License-Identifier: Apache-2.0
"""Baselines and known keys: boots and TPMs that are the same in each run, and programs that look at them."""
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from trees import HERE, load

sys.path[:0] = [str(HERE.parent / "tpm"), str(HERE.parent / "host")]
verbs = load(HERE.parent / "tpm/cli-verbs")
import guests  # noqa: E402  (found by the path above)
import soft_tpm  # noqa: E402

# Boots of one machine: the first is what its baseline expects, then one with another command line and one with
# another loader.
BOOTS = {
    "same": verbs.measurements(),
    "another command line": verbs.measurements(cmdline=verbs.CMDLINE + " gtuned=new"),
    "another loader": verbs.measurements() + [(4, verbs.EV_ACTION, b"another loader")],
}
REPORT = json.dumps(guests.report()).encode()


def check_boot(stage, baseline, boot):
    """What `baseline check` says of a boot, without its sentences."""
    tree = stage.tree(BOOTS[boot])
    verbs.write(tree, verbs.BASELINE[1:], baseline.encode())
    run = stage.run(tree, "--json", "baseline", "check")
    document = json.loads(run.stdout)
    pcrs = {n: {"outcome": p["outcome"], "label": p["label"]} for n, p in document["pcrs"].items()}
    return {"exit": run.returncode, "result": document["result"], "pcrs": pcrs}


def add_boot(stage, baseline, boot):
    """What `baseline add` makes of the file."""
    tree = stage.tree(BOOTS[boot])
    verbs.write(tree, verbs.BASELINE[1:], baseline.encode())
    stage.run(tree, "baseline", "add", "--label", boot)
    return (tree / verbs.BASELINE[1:]).read_text()


def save_baseline(stage):
    tree = stage.tree(BOOTS["same"])
    stage.run(tree, "baseline", "save", "--label", "same")
    return (tree / verbs.BASELINE[1:]).read_text()


def show_baseline(stage, baseline):
    tree = stage.tree(BOOTS["same"])
    verbs.write(tree, verbs.BASELINE[1:], baseline.encode())
    return json.loads(stage.run(tree, "--json", "baseline", "show").stdout)


def fixed_tpm(name):
    """A TPM with the same key in each run."""
    tpm = soft_tpm.Tpm()
    tpm.secret = int.from_bytes(hashlib.sha256(name.encode()).digest(), "big") % (soft_tpm.N - 1) + 1
    tpm.x, tpm.y = soft_tpm.multiply(tpm.secret, soft_tpm.G)
    return tpm


class Fleet:
    """Guests that quote, and a gtune-host with a folder of known keys."""

    def __init__(self, gtune_host):
        self.gtune_host = gtune_host
        self.folder = tempfile.TemporaryDirectory(prefix="gtu-")
        self.host = guests.Host(self.folder.name)
        self.keys = pathlib.Path(self.folder.name, "keys")
        self.count = 0

    def put(self, records):
        """Known keys, as gtune-host leaves them."""
        self.keys.mkdir(mode=0o700)
        for name, text in records.items():
            (self.keys / name).write_text(text)
            (self.keys / name).chmod(0o600)

    def take(self):
        return {p.name: p.read_text() for p in sorted(self.keys.glob("*.json"))}

    def ask(self, name, tpm, *options, **lies):
        """Return: exit status, outcome, reason or the key's status, when it was first seen."""
        async def serve(guest):
            request = await guest.sync()
            await guest.send({"return": tpm.answer(request["arguments"], REPORT, **lies), "id": request["id"]})
            await guest.reader.read()

        self.count += 1
        path = self.host.add(f"guest-{self.count}", serve)
        run = subprocess.run([self.gtune_host, "--timeout", "10", "--json", "--keys", str(self.keys), "--name", name,
                              *options, "quote", path], capture_output=True, text=True, timeout=60, check=False)
        answer = json.loads(run.stdout)
        key = answer.get("quote", {}).get("key", {})
        return [run.returncode, answer["outcome"], answer.get("reason") or key.get("status"), key.get("first_seen")]


def make_keys(fleet):
    """Two known guests: one that quoted once, one that quoted again after resets."""
    fleet.ask("guest1", fixed_tpm("one"))
    fleet.ask("guest2", fixed_tpm("two"), resets=7, restarts=0)
    fleet.ask("guest2", fixed_tpm("two"), resets=9, restarts=2, clock=500000)
    return fleet.take()


# What a guest may show later: guest, TPM, options, lies.
LATER = {
    "the same key": ("guest1", "one", (), {}),
    "the same key after a reset": ("guest2", "two", (), {"resets": 10, "restarts": 0, "clock": 600000}),
    "another key": ("guest1", "two", (), {}),
    "the key of another guest under a new name": ("guest3", "one", (), {}),
    "a key that nobody knows": ("guest3", "three", (), {}),
    "fewer resets": ("guest2", "two", (), {"resets": 8, "restarts": 2, "clock": 500000}),
    "an older clock": ("guest2", "two", (), {"resets": 9, "restarts": 2, "clock": 499999}),
    "another key that is accepted": ("guest1", "three", ("--accept-key",), {}),
}


def ask_later(gtune_host, records, case):
    """What gtune-host says of a later quote, and the records of known guests after it, without times."""
    name, tpm, options, lies = LATER[case]
    fleet = Fleet(gtune_host)
    fleet.put(records)
    answer = fleet.ask(name, fixed_tpm(tpm), *options, **lies)
    after = {n: {k: v for k, v in json.loads(t).items() if not k.endswith("_seen")} for n, t in fleet.take().items()}
    if answer[2] in ("new", "accepted"):
        answer[3] = None
    return {"answer": answer, "records": after}
