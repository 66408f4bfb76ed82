# SPDX-License-Identifier: Apache-2.0
"""The report that the daemon keeps, in a guest that changes at random, beside one that is made anew."""

import pathlib
import random

from checks import test
from qemu import Guest

IN_GUEST = pathlib.Path(__file__).resolve().parents[1] / "shadow" / "in-guest"
SECONDS = {False: 60, True: 600}
PATIENCE = 300


@test("shadow", needs_tree=True)
def test_shadow(environment, checks):
    """Services, mounts, boot files, a program and attributes change, and each time both reports are the same."""
    if not environment.compare:
        checks.skip("all of it", "no --compare was given")
        return
    seconds, seed = SECONDS[environment.thorough], random.randrange(1 << 15)
    with Guest(environment.image, "shadow", environment.work) as guest:
        guest.boot(direct=True, efi=False)
        for name, path in (("compare", environment.compare), ("in-guest", IN_GUEST)):
            guest.write_file(f"/root/{name}", path.read_bytes())
        guest.check("chmod 755 /root/compare /root/in-guest")
        checks.note(f"seed {seed}, {seconds} s")
        _, text, errors = guest.shell(f"/root/in-guest /root/compare {seconds} {seed}", timeout=seconds + PATIENCE)
        checks.ok("the report that is kept is as one that is made anew", text.startswith("same "), (text + errors)[-4000:])
        checks.note(f"comparisons: {text.strip()[:40]}")
