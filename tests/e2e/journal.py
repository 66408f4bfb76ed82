# SPDX-License-Identifier: Apache-2.0
"""What gtune has told the journal of a guest, and what the catalog says of it."""

import json
import pathlib
import re

TOP = pathlib.Path(__file__).resolve().parents[2]
IDS = dict(re.findall(r"\[JOURNAL_(\w+)\] = \{\"([0-9a-f]{32})\"", (TOP / "core/journal.c").read_text()))


def sent(guest, name):
    """The messages of one kind in this boot, in their order."""
    text = guest.shell(f"journalctl -q -b -o json MESSAGE_ID={IDS[name]}")[1]
    return [json.loads(line) for line in text.splitlines()]


def explained(guest, name):
    """The same for a person."""
    guest.check("journalctl --update-catalog")
    return guest.shell(f"journalctl -q -b -x --no-pager MESSAGE_ID={IDS[name]}")[1]


def check_sent(guest, checks, name, count, priority, text, **fields):
    """So many of them were sent, and the last one is as it should be."""
    found = sent(guest, name)
    if not checks.equal(f"journal: {name.lower()} was sent", len(found), count):
        return
    last = found[-1]
    checks.equal(f"journal: {name.lower()}: its priority", last["PRIORITY"], str(priority))
    checks.contains(f"journal: {name.lower()}: its text", last["MESSAGE"], text)
    for field, value in fields.items():
        checks.contains(f"journal: {name.lower()}: {field}", str(last.get(field)), value)
