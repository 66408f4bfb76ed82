# SPDX-License-Identifier: Apache-2.0
"""Machines of tests/roots in the states that a build of gtune leaves them in, as text.

A state says how a tree differs from the machine's own: {PATH: "removed", "dir MODE", "link TARGET" or
"file MODE HASH"}. The bytes that a hash stands for are in the recording's "files".
"""
import concurrent.futures
import importlib.machinery
import importlib.util
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
RECORDED = HERE / "recorded"


def load(path):
    """A program of the tests that has no .py in its name."""
    loader = importlib.machinery.SourceFileLoader(path.name.replace("-", "_"), str(path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


roots = load(HERE.parent / "roots/run")

HALTPOLL = "[haltpoll]\nguest_halt_poll_ns = 300000\n"
PVSPIN = "[pvspin]\nenable = yes\n"
QGA = "[qga-policy]\nallow = info\n"

# The machines that are recorded, and a policy that ends the hold of each.
MACHINES = {
    "admin-tokens-in-one-entry": HALTPOLL,  # a record that keeps entries
    "bls-and-own-entries": HALTPOLL,        # grub-cfg, bls, default-grub, kernel-cmdline
    "debian-12-module": HALTPOLL,           # files: modules-load.d, modprobe.d
    "image-x86_64-module": HALTPOLL,        # the same in an image
    "openeuler-22.03-x86_64": HALTPOLL,     # grub-cfg, default-grub, an attribute
    "pvspin-wanted": PVSPIN,                # another practice's tokens
    "qga-rhel-9.4-allow": QGA,              # a drop-in of a unit
    "rhel-8-bios-grubby": HALTPOLL,         # bls, grubenv, default-grub
    "rhel-9-uefi": HALTPOLL,                # bls, default-grub, kernel-cmdline
    "systemd-boot-bls": HALTPOLL,           # entries without GRUB
}

# Those where apply and revert are also killed at each step.
INTERRUPTED = ("debian-12-module", "openeuler-22.03-x86_64", "qga-rhel-9.4-allow", "rhel-8-bios-grubby")


def as_older(ledger):
    """A ledger without what the recorded build does not know, and does not miss."""
    ledger = {k: v for k, v in json.loads(ledger).items() if k not in ("releases", "directories")}
    tokens = [t for t in ledger["tokens"] if t.get("added") != []]
    ledger["tokens"] = [{k: v for k, v in t.items() if k not in ("added", "kernel", "other")} for t in tokens]
    if "next" in ledger:
        ledger["next"] = as_older(json.dumps(ledger["next"]))
    return ledger


def each(function, items):
    """The results of a function, several at a time."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(function, items))


class Tree:
    """A copy of a machine that a program may change."""

    def __init__(self, gtune, machine, files):
        self.gtune, self.files = gtune, files
        self.folder = tempfile.mkdtemp(prefix="gtuned-upgrade-")
        self.top = pathlib.Path(self.folder, "tree")
        self.top.mkdir()
        roots.build(roots.HERE / machine, self.top)
        self.original = roots.look(self.top)
        arguments = roots.HERE / machine / "arguments"
        self.arguments = arguments.read_text().split() if arguments.exists() else []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder)

    def run(self, *words, prefix=()):
        command = [*prefix, self.gtune, "--root", str(self.top), *self.arguments, *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False,
                              env={**os.environ, "LC_ALL": "C", "NO_COLOR": "1"})

    def take(self):
        """The state."""
        after, state = roots.look(self.top), {}
        for path in sorted(self.original.keys() | after.keys()):
            node = after.get(path)
            if node is None:
                state[path] = "removed"
            elif node.same(self.original.get(path)):
                continue
            elif node.kind == "file":
                state[path] = f"file {node.mode:04o} {self.keep(path, node.content[:12])}"
            else:
                state[path] = f"link {node.content}" if node.kind == "link" else f"{node.kind} {node.mode:04o}"
        return state

    def keep(self, path, name):
        """Keeps the bytes of a file. Return: their name; that of a ledger that says the same, if one is kept."""
        text = (self.top / path).read_bytes().decode()
        if path == roots.LEDGER:
            says = as_older(text)
            for known, other in self.files.items():
                if other.startswith("{") and other != text and '"tokens"' in other and as_older(other) == says:
                    return known
        self.files[name] = text
        return name

    def put(self, state):
        """Brings the machine's own tree into a state."""
        for path, what in state.items():
            kind, *words = what.split()
            target = self.top / path
            if kind == "removed":
                roots.clear(target)
            elif kind == "dir":
                target.mkdir(exist_ok=True)
                target.chmod(int(words[0], 8))
            elif kind == "link":
                roots.set_up_link(target, words[0])
            else:
                target.unlink(missing_ok=True)
                target.write_bytes(self.files[words[1]].encode())
                target.chmod(int(words[0], 8))
        return self

    def set_policy(self, text):
        """A drop-in, which counts as the machine's own."""
        path = self.top / "etc/gtuned/gtuned.conf.d/90-upgrade.conf"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        for node in (path, path.parent, path.parent.parent):
            self.original[node.relative_to(self.top).as_posix()] = roots.look_at(node)
        return self

    def report(self):
        """What `status` says: the states, without its sentences."""
        run = self.run("--json", "status")
        report = json.loads(run.stdout)
        practices = {p["name"]: " ".join([p["wanted"] or "-", p["state"], p["reason_code"] or "-",
                                          "held" if p["held"] else "loose"]) for p in report["practices"]}
        return {"exit": run.returncode, "ledger": report["ledger"], **practices}

    def plan(self):
        """What is still to be done: nothing, but for what can only be done at boot."""
        run = self.run("--json", "plan")
        return {"exit": run.returncode, "changes": json.loads(run.stdout)["changes"]}

    def settle(self, verb):
        """What a verb makes of an interrupted one."""
        run = self.run(verb)
        found = re.search("an interrupted apply was (completed|taken back)", run.stdout + run.stderr)
        return {"exit": run.returncode, "recovery": found and found.group(1), "tree": self.take()}

    def leftovers(self):
        return [str(p.relative_to(self.top)) for p in self.top.rglob("*.gtuned")]


def read_recording(name):
    return json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))


def write_recording(name, document):
    RECORDED.mkdir(exist_ok=True)
    text = json.dumps(document, indent=1, ensure_ascii=False)
    (RECORDED / f"{name}.json").write_text(text + "\n", encoding="utf-8")
