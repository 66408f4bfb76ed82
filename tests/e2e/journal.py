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


# Words of systemd about a setting or a credential that does not count.
COMPLAINT = re.compile("unknown|ignor|skipping|couldn't|failed to|invalid|deprecated|not supported|not permitted|"
                       "denied", re.IGNORECASE)


def complaints(guest):
    """What systemd itself, and its processes before they become a program, complain of in our units in this boot."""
    text = guest.check("journalctl -q -b -o json --output-fields=MESSAGE,_PID,_COMM,_EXE,UNIT,_SYSTEMD_UNIT")
    found = []
    for entry in map(json.loads, text.splitlines()):
        message = str(entry.get("MESSAGE"))
        by_systemd = entry.get("_PID") == "1" or entry.get("_COMM", "").startswith("(") or \
            entry.get("_EXE", "").endswith(("/systemd", "/systemd-executor"))
        ours = "gtun" in message or any(entry.get(key, "").startswith("gtuned") for key in ("UNIT", "_SYSTEMD_UNIT"))
        if by_systemd and ours and COMPLAINT.search(message):
            found.append(message)
    return found


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
