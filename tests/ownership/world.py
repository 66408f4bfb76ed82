# SPDX-License-Identifier: Apache-2.0
"""A guest that is made up, the places in it that hold kernel command lines, and what befalls them.

Each place knows how many of each of gtune's tokens in it are the administrator's, gtune's, or may be either's: a token
that a generator wrote where gtune had put one before. All other words are the administrator's.
"""

import collections
import functools
import json
import re
import subprocess

GRUB_CFG = {"grub": "boot/grub/grub.cfg", "blscfg": "boot/grub2/grub.cfg"}
ENTRIES = "boot/loader/entries"
ESP = "boot/efi"
DEFAULT_GRUB, DROP_INS, KERNEL_CMDLINE = "etc/default/grub", "etc/default/grub.d", "etc/kernel/cmdline"
MACHINE_ID = "4f0d9f0c0b8b4a0e9e0f1b2c3d4e5f60"
BASE = ("root=/dev/vda2", "ro")
WORDS = ("quiet", "console=ttyS0", "console=tty0,115200n8", "rhgb", "crashkernel=256M", "mitigations=off", "x=\"a b\"",
         "audit=0", "net.ifnames=0", "rd.lvm.lv=vg/root", "nohz_full=1-3", "haltpoll_other=1", "cpuidle.off=0")
OTHER_SPELLING = {"cpuidle_haltpoll.force=Y": "cpuidle-haltpoll.force=1", "haltpoll.enable=Y": "haltpoll.enable=on"}
TOKENS = {"x86_64": ("cpuidle_haltpoll.force=Y",), "aarch64": ("cpuidle_haltpoll.force=Y", "haltpoll.enable=Y")}
SPLIT = re.compile(r'(?:[^\s"]|"[^"]*")+')
LINUX = re.compile(r"^(\s*linux\s+\S+)(.*)$")


class Lost(Exception):
    """A word of the administrator's is lost, or a token of gtune's is left without a name."""


@functools.lru_cache(maxsize=None)
def read_by_shell(text, name):
    """The value of a variable after a shell has read a text."""
    return subprocess.run(["sh", "-s"], input=f"{text}\nprintf %s \"${name}\"\n", capture_output=True, text=True,
                          check=True, close_fds=False).stdout


def default_grub_files(top):
    """The files that grub-mkconfig sources, in their order."""
    folder = top / DROP_INS
    drop_ins = sorted(p.name for p in folder.glob("*.cfg")) if folder.is_dir() else ()
    return [DEFAULT_GRUB, *(f"{DROP_INS}/{name}" for name in drop_ins)]


class Place:
    """A command line in a file."""

    def __init__(self, world, path):
        self.world, self.path = world, path
        self.words, self.tags = [], {owner: collections.Counter() for owner in ("admin", "ours", "either")}
        self.takes_tokens = True

    # How it is read and written: each kind has its own.

    def text(self):
        raise NotImplementedError

    def set_text(self, text):
        raise NotImplementedError

    def paths(self):
        """The files that the state may name for it."""
        return {self.path}

    # What the words are

    def split(self):
        """Its words without the tokens, and how many of each token there are."""
        words = SPLIT.findall(self.text())
        return [w for w in words if w not in self.world.tokens], collections.Counter(
            w for w in words if w in self.world.tokens)

    def put(self, words, tags=None):
        """Sets the words, which may hold tokens, of the owners that tags say: the administrator's without them."""
        self.set_text(" ".join(words))
        self.words, counts = self.split()
        self.tags = {o: collections.Counter(tags[o] if tags else ()) for o in ("admin", "ours", "either")}
        if not tags:
            self.tags["admin"] = counts
        self.world.mixed = self.world.mixed or bool(self.tags["admin"] or self.tags["either"])

    def all_words(self):
        return SPLIT.findall(self.text())

    def note_apply(self):
        words, counts = self.split()
        before = sum(self.tags.values(), collections.Counter())
        if words != self.words or before - counts or (counts - before and not self.takes_tokens):
            raise Lost(f"apply made {self.text()!r} of {self.words} and {dict(before)} in {self.path}")
        self.tags["ours"] += counts - before

    def forget_owner(self):
        """Somebody took one of several tokens: it is not known whose."""
        _, counts = self.split()
        before = sum(self.tags.values(), collections.Counter())
        for token in before - counts:
            self.tags["admin"][token] = self.tags["ours"][token] = 0
            self.tags["either"][token] = counts[token]
        self.world.mixed = True

    def check_reverted(self, world, named):
        words, counts = self.split()
        if words != self.words:
            raise Lost(f"{self.path} has {words} instead of {self.words}")
        for token in world.tokens:
            if counts[token] < self.tags["admin"][token]:
                raise Lost(f"{self.path} lost the administrator's {token}: {self.text()!r}, {self.tags}")
            if counts[token] and not world.mixed:
                raise Lost(f"{self.path} still has {token}, which only gtune added: {self.text()!r}")
            if counts[token] > self.tags["admin"][token] and not self.paths() & named:
                raise Lost(f"{self.path} still has {token}, and nothing names it: {self.text()!r}, {self.tags}")


class BlsPlace(Place):
    """The options of an entry."""

    def text(self):
        lines = (self.world.top / self.path).read_text().splitlines()
        return " ".join(line.split(None, 1)[1] for line in lines if line.startswith("options "))

    def set_text(self, text):
        file = self.world.top / self.path
        lines = [line for line in file.read_text().splitlines() if not line.startswith(("options ", "# Added"))]
        file.write_text("\n".join(lines + ([f"options {text}"] if text else [])) + "\n")

    def paths(self):
        return {self.path, *(p.path for p in self.world.places.values() if isinstance(p, VariablePlace))}


class MenuPlace(Place):
    """The line "linux" of a menu entry, by its number in the file."""

    number = 0

    def _lines(self):
        return (self.world.top / self.path).read_text().split("\n")

    def _find(self, lines):
        return [i for i, line in enumerate(lines) if LINUX.match(line)][self.number]

    def text(self):
        lines = self._lines()
        return LINUX.match(lines[self._find(lines)])[2]

    def set_text(self, text):
        lines = self._lines()
        i = self._find(lines)
        lines[i] = f"{LINUX.match(lines[i])[1]} {text}".rstrip()
        (self.world.top / self.path).write_text("\n".join(lines))


class VariablePlace(Place):
    """kernelopts in the environment block, or a variable in grub.cfg."""

    def __init__(self, world, path, before, after):
        super().__init__(world, path)
        self.before, self.after = before, after
        self.line = re.compile(f"^{re.escape(before)}(.*){re.escape(after)}$", re.MULTILINE)

    def text(self):
        return self.line.search((self.world.top / self.path).read_text())[1]

    def set_text(self, text):
        file = self.world.top / self.path
        new = self.line.sub(lambda _: f"{self.before}{text}{self.after}", file.read_text())
        if self.path.endswith("grubenv"):
            new = new.rstrip("#").ljust(1024, "#")
        file.write_text(new)


class TemplatePlace(Place):
    """/etc/kernel/cmdline"""

    def text(self):
        return (self.world.top / self.path).read_text()

    def set_text(self, text):
        (self.world.top / self.path).write_text(text + "\n")


class ShellPlace(Place):
    """A variable of /etc/default/grub and its drop-ins, as a shell reads them."""

    def __init__(self, world, name):
        super().__init__(world, DEFAULT_GRUB)
        self.name = name

    def text(self):
        return read_by_shell("".join((self.world.top / path).read_text() + "\n" for path in self.files()), self.name)

    def files(self):
        """The files in the order in which grub-mkconfig sources them."""
        return default_grub_files(self.world.top)

    def set_text(self, text):
        raise NotImplementedError

    def paths(self):
        return set(self.files())

    def note(self):
        """Takes what is there as the administrator's."""
        self.words, self.tags["admin"] = self.split()
        self.world.mixed = self.world.mixed or bool(self.tags["admin"])


class World:
    """A guest and what befalls it."""

    def __init__(self, top, dice):
        self.top, self.dice = top, dice
        self.family = dice.choice(("grub", "grub", "grub-alone", "bls", "bls", "kernelopts", "cfg-variable",
                                   "systemd-boot"))
        self.arch = dice.choice(("x86_64", "x86_64", "aarch64"))
        self.tokens = TOKENS[self.arch]
        self.places, self.menu, self.boots = {}, [], 0
        self.mixed = False  # the administrator has some of the tokens, too
        self.applied_to, self.kernels = set(), []
        self.next_kernel = 60
        self.make()

    # Making it

    def write(self, path, text):
        file = self.top / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def version(self):
        self.next_kernel += 1
        return f"5.10.0-{self.next_kernel}.x86_64"

    def some_words(self, token_chance):
        """Words of the administrator, now and then with a token as gtune would write it, or written in another way."""
        words = self.dice.sample(WORDS, self.dice.randrange(4))
        for token in self.tokens:
            if self.dice.random() < token_chance:
                words.insert(self.dice.randrange(len(words) + 1),
                             token if self.dice.random() < 0.7 else OTHER_SPELLING[token])
        return words

    def make(self):
        self.write("etc/gtuned/gtuned.conf", "[haltpoll]\nenable = yes\n")
        self.write("boot/config-5.10.0-60", "CONFIG_HALTPOLL_CPUIDLE=y\nCONFIG_CPU_IDLE_GOV_HALTPOLL=y\n")
        self.write("etc/os-release", "ID=debian\n" if self.family.startswith("grub") else "ID=fedora\n")
        self.write("gtuned-machine.json", json.dumps({
            "schema": 1, "arch": self.arch, "kernel": "5.10.0-60", "hypervisor": "KVMKVMKVM", "dedicated_hint": False,
            "kernel_log": {"reach": "complete", "lines": []}}))
        (self.top / "var/lib").mkdir(parents=True)
        self.chance = self.dice.choice((0, 0, 0.15, 0.4))
        self.kernels = [self.version() for _ in range(self.dice.choice((1, 2, 2, 3)))]
        getattr(self, "make_" + self.family.replace("-", "_"))()
        self.boot(BASE, False)

    def boot(self, words, effect):
        """This boot: its id, its command line, and whether the practice is in effect."""
        self.boots += 1
        self.write("proc/sys/kernel/random/boot_id", f"5f6c1a86-5a2e-4a53-9c38-{self.boots:012x}\n")
        self.write("proc/cmdline", " ".join(words) + "\n")
        self.write("sys/devices/system/cpu/cpuidle/current_driver", "haltpoll\n" if effect else "none\n")
        self.write("sys/devices/system/cpu/cpuidle/current_governor", "haltpoll\n" if effect else "menu\n")

    def add(self, key, place, words, tags=None):
        self.places[key] = place
        place.put(words, tags)

    def make_default_grub(self):
        words = self.some_words(self.chance)
        quote = self.dice.choice("\"'") if not any('"' in w for w in words) else "'"
        text = f"GRUB_TIMEOUT=5\nGRUB_CMDLINE_LINUX={quote}{' '.join(words)}{quote}\n"
        if self.dice.random() < 0.2:
            text = (f"EXTRA=\"{self.dice.choice(WORDS[:5])}\"\n{text}"
                    "GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX $EXTRA\"\n")
        text += f"GRUB_CMDLINE_LINUX_DEFAULT=\"{self.dice.choice(('', 'quiet', 'quiet splash'))}\"\n"
        self.write(DEFAULT_GRUB, text)
        if self.family == "grub" and self.dice.random() < 0.3:
            self.write(f"{DROP_INS}/50-cloud.cfg", self.dice.choice((
                "GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX console=hvc0\"\n", "GRUB_TIMEOUT=0\n",
                "GRUB_CMDLINE_LINUX_DEFAULT=\"console=hvc0\"\n")))
        for name in ("GRUB_CMDLINE_LINUX", "GRUB_CMDLINE_LINUX_DEFAULT"):
            self.places[name] = ShellPlace(self, name)
            self.places[name].note()
        # Where drop-ins are read, recovery entries get no token.
        self.places["GRUB_CMDLINE_LINUX"].takes_tokens = not self.family.startswith("grub")
        self.places["GRUB_CMDLINE_LINUX_DEFAULT"].takes_tokens = self.family.startswith("grub")

    def make_grub(self):
        self.make_default_grub()
        self.custom = self.some_words(self.chance) if self.dice.random() < 0.3 else None
        self.generate_menu()
        for key in self.dice.sample(sorted(self.menu), self.dice.randrange(2)):
            place = self.places[key]
            place.put(place.all_words() + self.some_words(self.chance))

    def make_grub_alone(self):
        self.custom = None
        self.menu = {("system", v): list(BASE) + self.some_words(self.chance) for v in self.kernels}
        self.write_menu()

    def generate_menu(self):
        """What grub-mkconfig writes, with recovery entries, and an entry of 40_custom. Return: the menu."""
        line, default = (self.places[n].all_words() for n in ("GRUB_CMDLINE_LINUX", "GRUB_CMDLINE_LINUX_DEFAULT"))
        self.menu = {}
        for version in self.kernels:
            self.menu["system", version] = list(BASE) + line + default
            self.menu["recovery", version] = list(BASE) + ["single"] + line
        if self.custom is not None:
            self.menu["custom", self.kernels[0]] = list(BASE) + self.custom
        self.write_menu()

    def write_menu(self):
        titles = {"system": "Debian GNU/Linux, with Linux {}",
                  "recovery": "Debian GNU/Linux, with Linux {} (recovery mode)",
                  "custom": "My own {}", "copy": "A copy of {}", "foreign": "Other (on /dev/sdb1) {}"}
        text = ["set timeout=5", "set extra=\"splash\"", ""]
        for kind, version in self.menu:
            path = "/EFI/other/vmlinuz" if kind == "foreign" else f"/boot/vmlinuz-{version}"
            name = titles[kind].format(version)
            if kind == "foreign":
                name = "Other (on /dev/sdb1)"
            text += [f"menuentry '{name}' {{", f"\tlinux\t{path}", f"\tinitrd\t/boot/initrd.img-{version}", "}"]
        self.write(GRUB_CFG["grub"], "\n".join(text) + "\n")
        for key in [k for k, p in self.places.items() if isinstance(p, MenuPlace)]:
            del self.places[key]
        for number, (key, words) in enumerate(self.menu.items()):
            place = MenuPlace(self, GRUB_CFG["grub"])
            place.number = number
            place.takes_tokens = key[0] in ("system", "custom", "copy")
            self.add(key, place, words)

    def make_blscfg(self, variables=""):
        self.write(GRUB_CFG["blscfg"], f"set default=\"${{saved_entry}}\"\n{variables}insmod blscfg\nblscfg\n")
        if self.dice.random() < 0.6:
            self.write(KERNEL_CMDLINE, "")
            self.add("template", TemplatePlace(self, KERNEL_CMDLINE), list(BASE) + self.some_words(self.chance))
        if self.dice.random() < 0.6:
            self.make_default_grub()

    def entry_path(self, version, directory=ENTRIES, counter=""):
        return f"{directory}/{MACHINE_ID}-{version}{counter}.conf"

    def add_entry(self, version, words, tags=None, directory=ENTRIES, counter="", kind="system"):
        path = self.entry_path(version + ("-rescue" if kind == "rescue" else ""), directory, counter)
        title = "Linux rescue" if kind == "rescue" else "Linux"
        self.write(path, f"title {title} ({version})\nversion {version}\nlinux /vmlinuz-{version}\n"
                         f"initrd /initramfs-{version}.img\n")
        place = BlsPlace(self, path)
        place.takes_tokens = kind == "system"
        self.add((kind, version), place, words, tags)

    def make_bls(self):
        self.make_blscfg("set tuned_params=\"nosoftlockup\"\n" if self.dice.random() < 0.4 else "")
        for version in self.kernels:
            variable = self.dice.choice(([], [], ["$tuned_params"]))
            self.add_entry(version, list(BASE) + self.some_words(self.chance) + variable)
        if self.dice.random() < 0.3:
            self.add_entry("0-0", list(BASE) + self.some_words(self.chance), kind="rescue")

    def make_kernelopts(self):
        self.make_blscfg()
        self.write("boot/grub2/grubenv", "# GRUB Environment Block\nsaved_entry=0\nkernelopts=\n")
        words = [w for w in list(BASE) + self.some_words(self.chance) if '"' not in w]
        self.add("variable", VariablePlace(self, "boot/grub2/grubenv", "kernelopts=", ""), words)
        for i, version in enumerate(self.kernels):
            self.add_entry(version, ["$kernelopts"] if i == 0 or self.dice.random() < 0.8 else
                           list(BASE) + self.some_words(self.chance))

    def make_cfg_variable(self):
        self.make_blscfg("set kernelopts=\"\"\n")
        words = [w for w in list(BASE) + self.some_words(self.chance) if '"' not in w]
        self.add("variable", VariablePlace(self, GRUB_CFG["blscfg"], "set kernelopts=\"", "\""), words)
        for i, version in enumerate(self.kernels):
            self.add_entry(version, ["$kernelopts"] if i == 0 or self.dice.random() < 0.8 else
                           list(BASE) + self.some_words(self.chance))

    def make_systemd_boot(self):
        self.write(f"{ESP}/EFI/systemd/systemd-bootx64.efi", "#### LoaderInfo: systemd-boot 252 ####\n")
        if self.dice.random() < 0.7:
            self.write(KERNEL_CMDLINE, "")
            self.add("template", TemplatePlace(self, KERNEL_CMDLINE), list(BASE) + self.some_words(self.chance))
        for version in self.kernels:
            self.add_entry(version, list(BASE) + self.some_words(self.chance), directory=f"{ESP}/loader/entries",
                           counter=self.dice.choice(("", "+3", "+2-1")))

    # What befalls it

    def note_apply(self):
        for place in self.places.values():
            place.note_apply()
        self.applied_to |= {key for key, place in self.places.items() if not sum(place.tags["admin"].values())}

    def systems(self):
        """The entries that boot this system."""
        return [key for key in self.places if isinstance(key, tuple) and key[0] in ("system", "custom", "copy")]

    def rename_file(self, place, new):
        (self.top / new).parent.mkdir(parents=True, exist_ok=True)
        (self.top / place.path).rename(self.top / new)
        place.path = new

    def deed(self):
        """One deed of a tool or of the administrator. Return: its name."""
        deeds = {"apply": None, "reboot": self.reboot, "new_kernel": self.new_kernel,
                 "remove_kernel": self.remove_kernel, "edit": self.edit, "edit_token": self.edit_token}
        if self.family == "grub":
            deeds |= {"mkconfig": self.mkconfig, "move_default": self.move_default, "retitle": self.retitle}
        elif self.family == "grub-alone":
            deeds |= {"retitle": self.retitle}
        else:
            deeds |= {"rename": self.rename, "count": self.count}
        name = self.dice.choice(sorted(deeds))
        if deeds[name]:
            deeds[name]()
        return name

    def reboot(self, from_elsewhere=False):
        """The guest boots an entry; its command line may also be one that no file has."""
        words = self.places[self.dice.choice(self.systems())].all_words()
        if words == ["$kernelopts"]:
            words = self.places["variable"].all_words()
        if from_elsewhere:
            words = words + list(self.tokens)
        self.boot(words, all(t in words or OTHER_SPELLING[t] in words for t in self.tokens))

    def new_kernel(self):
        """kernel-install with the template or without, or grubby, which copies an entry; grub-mkconfig on Debian."""
        version = self.version()
        self.kernels.append(version)
        if self.family == "grub":
            self.mkconfig()
            return
        source = self.places[self.dice.choice(self.systems())]
        if "template" in self.places and self.dice.random() < 0.7:
            source = self.places["template"]
        if self.family == "grub-alone":
            self.copy_in_menu(("system", version), source)
        else:
            directory = f"{ESP}/loader/entries" if self.family == "systemd-boot" else ENTRIES
            self.add_entry(version, source.all_words(), source.tags, directory,
                           self.dice.choice(("", "+3")) if self.family == "systemd-boot" else "")

    def copy_in_menu(self, key, source):
        """A new entry at the end of grub.cfg."""
        file = self.top / GRUB_CFG["grub"]
        file.write_text(file.read_text() + f"menuentry 'Debian GNU/Linux, with Linux {key[1]}' {{\n"
                        f"\tlinux\t/boot/vmlinuz-{key[1]}\n}}\n")
        place = MenuPlace(self, GRUB_CFG["grub"])
        place.number = sum(isinstance(p, MenuPlace) for p in self.places.values())
        self.add(key, place, source.all_words(), source.tags)

    def remove_kernel(self):
        """The newest or another kernel is removed with its entry."""
        if len(self.kernels) < 2:
            return
        version = self.dice.choice(self.kernels[1:])
        if self.family == "grub":
            self.kernels.remove(version)
            self.mkconfig()
        elif self.family != "grub-alone":
            self.kernels.remove(version)
            (self.top / self.places.pop(("system", version)).path).unlink()

    def mkconfig(self):
        """grub-mkconfig writes all entries anew from the template; what was edited in grub.cfg is lost by it."""
        line, default = (self.places[n] for n in ("GRUB_CMDLINE_LINUX", "GRUB_CMDLINE_LINUX_DEFAULT"))
        self.generate_menu()
        for key in self.menu:
            if key[0] == "custom":
                continue
            sources = [line, default] if key[0] == "system" else [line]
            place = self.places[key]
            place.tags = {owner: sum((s.tags[owner] for s in sources), collections.Counter()) for owner in place.tags}
            # gtune had put a token there before: of one that the administrator's template brings it cannot know that.
            if key in self.applied_to and key[0] == "system":
                place.tags["either"] += place.tags.pop("admin")
                place.tags["admin"] = collections.Counter()

    def edit(self):
        """The administrator adds and removes words that are none of gtune's."""
        place = self.places[self.dice.choice([k for k, p in self.places.items() if not isinstance(p, ShellPlace)])]
        words = place.all_words()
        if words == ["$kernelopts"]:
            return
        if len(words) > 2 and self.dice.random() < 0.4:
            victim = self.dice.choice(words)
            if victim not in self.tokens and "$" not in victim:
                words.remove(victim)
        words.insert(self.dice.randrange(len(words) + 1), f"admin{self.dice.randrange(9)}=1")
        place.put(words, place.tags)

    def edit_token(self):
        """The administrator adds a token besides the one that is there, or takes one out."""
        place = self.places[self.dice.choice([k for k, p in self.places.items() if not isinstance(p, ShellPlace)])]
        words, token = place.all_words(), self.dice.choice(self.tokens)
        if words == ["$kernelopts"] or token not in words:
            return
        tags = {owner: collections.Counter(counts) for owner, counts in place.tags.items()}
        if self.dice.random() < 0.5:
            tags["admin"][token] += 1
            place.put(words + [token], tags)
        else:
            words.remove(token)
            place.put(words, tags)
            place.forget_owner()

    def rename(self):
        """The administrator gives an entry another name, or moves it to the ESP."""
        key = self.dice.choice([k for k, p in self.places.items() if isinstance(p, BlsPlace)])
        place = self.places[key]
        name = place.path.rsplit("/", 1)[1]
        if self.family != "systemd-boot" and self.dice.random() < 0.4:
            self.rename_file(place, f"{ESP}/loader/entries/{name}")
        else:
            self.rename_file(place, f"{place.path.rsplit('/', 1)[0]}/renamed{self.dice.randrange(99)}-{name}")

    def count(self):
        """systemd-boot counts a try, or systemd-bless-boot calls the entry good."""
        place = self.dice.choice([p for p in self.places.values() if isinstance(p, BlsPlace)])
        stem = re.sub(r"(\+\d+(-\d+)?)?\.conf$", "", place.path)
        new = stem + self.dice.choice(("+3", "+2-1", "+0-3", "")) + ".conf"
        if not (self.top / new).exists():
            self.rename_file(place, new)

    def retitle(self):
        """The administrator, or an update of the system, gives a menu entry another title."""
        file = self.top / GRUB_CFG["grub"]
        version = self.dice.choice(self.kernels)
        file.write_text(file.read_text().replace(f"'Debian GNU/Linux, with Linux {version}'", f"'Renamed {version}'"))

    def move_default(self):
        """The administrator moves the assignment of /etc/default/grub into a drop-in."""
        file = self.top / DEFAULT_GRUB
        lines = file.read_text().splitlines(keepends=True)
        moved = [line for line in lines if line.startswith("GRUB_CMDLINE_LINUX=")]
        if len(moved) != 1 or (self.top / f"{DROP_INS}/10-moved.cfg").exists():
            return
        file.write_text("".join(line for line in lines if line not in moved and not line.startswith("# Added")))
        self.write(f"{DROP_INS}/10-moved.cfg", moved[0])
