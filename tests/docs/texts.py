# SPDX-License-Identifier: Apache-2.0
"""Reads README.md and the pages of doc/: sessions, other code, headings and links.

A session is a block of the kind "console". Its commands, which begin with "# ", are run on the small tree of
tests/lib/small-tree.sh, and what they print must be what the page says.
"""

import pathlib
import re
import shlex
import shutil
import subprocess
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
README, CHINESE = "README.md", "README.zh-CN.md"
TREE = TOP / "tests/lib/small-tree.sh"
POLICY = "etc/gtuned/gtuned.conf.d/50-site.conf"
START_SECONDS = 10

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
HEREDOC = re.compile(r"<<END\n(.*?)^END$", re.M | re.S)
COMMAND = re.compile(r"(?:`|^# |^)(gtune(?:-host)?) ([^`|;&#\n]+)", re.M)
LINK = re.compile(r"\]\(([^)\s]+)\)")


def names():
    """README.md, its translation, and the pages."""
    return [README, CHINESE, *sorted(f"doc/{path.name}" for path in (TOP / "doc").glob("*.md"))]


def read(name):
    """The text of a page."""
    return (TOP / name).read_text()


def code(text, kind):
    """The blocks of a kind, in their order."""
    return [body for found, body in FENCE.findall(text) if found == kind]


def policy():
    """The policy that README.md writes."""
    return HEREDOC.search("\n".join(code(read(README), "sh"))).group(1)


def session(text):
    """Pairs of a command and what it prints, of all sessions of a page."""
    pairs = []
    for line in "".join(code(text, "console")).splitlines(keepends=True):
        if line.startswith("# "):
            pairs.append([line[2:].strip(), ""])
        elif pairs:
            pairs[-1][1] += line
        else:
            raise ValueError(f"a session begins with {line!r} and not with a command")
    return pairs


def anchors(text):
    """What a link may name after "#": the headings, as the usual renderers write them."""
    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", text), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def dead_links(name):
    """Links of a page that lead nowhere in the tree."""
    for link in LINK.findall(read(name)):
        path, _, anchor = link.partition("#")
        target = (TOP / name).parent / path if path else TOP / name
        if re.match(r"https?:", link):
            continue
        if not target.exists() or (anchor and anchor not in anchors(target.read_text())):
            yield f"{name}: {link} leads nowhere"


def unknown_words(text, programs):
    """A sentence for each verb and option of gtune and gtune-host, in a text or in its code, that there is not."""
    for name, rest in COMMAND.findall(text):
        options = {f"--{o.name}": o for o in programs[name].options}
        verbs = {v.name for v in programs[name].verbs}
        words = rest.split()
        while words and words[0].startswith("-"):
            option = options.get(words.pop(0))
            if not option:
                yield f"{name} {rest}: there is no such option"
                return
            if option.argument:
                words = words[1:]
        if words and re.fullmatch(r"[a-z-]+", words[0]) and words[0] not in verbs:
            yield f"{name} {rest}: there is no such verb"
        yield from (f"{name} {rest}: there is no {w}" for w in words[1:] if w.startswith("--") and w not in options)


class Guest:
    """The small tree with the policy of README.md, and the programs that work on it."""

    def __init__(self, build, directory):
        self.build, self.directory, self.daemons = build, directory, []
        self.shape("guest", "make_guest")
        (directory / "guest/etc/gtuned/gtuned.conf").unlink()
        self.write(POLICY, policy())
        shutil.copytree(directory / "guest", directory / "TREE")
        self.shape("TREE", "make_image")

    def close(self):
        """Ends the daemons."""
        for daemon in self.daemons:
            daemon.terminate()
            daemon.wait()

    def shape(self, name, function):
        """Lets a function of the tree's file work on a folder."""
        script = 'guest=$1; . "$2"; "$3"'
        subprocess.run(["bash", "-euc", script, "bash", self.directory / name, TREE, function], check=True)

    def write(self, path, text):
        """Writes a file of the guest."""
        target = self.directory / "guest" / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def run(self, program, *words):
        """What a program prints, on both streams as a terminal would show it."""
        done = subprocess.run([self.build / program, *words], cwd=self.directory, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        return done.stdout

    def gtune(self, *words):
        """gtune on the guest, or on the tree that the command names."""
        return self.run("gtune", *words if "--root" in words else ("--root", "guest", *words))

    def serve(self, name):
        """Lets a daemon serve a socket of that name."""
        self.daemons.append(subprocess.Popen([self.build / "gtuned", "--root", "guest", "--listen", name],
                                             cwd=self.directory))
        end = time.monotonic() + START_SECONDS
        while '"outcome":"ok"' not in self.run("gtune-host", "query", "guest-ping", name):
            if time.monotonic() > end:
                raise RuntimeError(f"gtuned does not serve {name}")
            time.sleep(0.05)

    def host(self, *words):
        """gtune-host. The guest is called web1, and there is no other."""
        if "web1.sock" in words and not self.daemons:
            self.serve("web1.sock")
        return self.run("gtune-host", *words)

    def reboot(self):
        """What kernel and boot unit do."""
        self.shape("guest", "reboot_guest")
        self.gtune("apply", "--unattended")
        return ""

    def echo(self, value, target):
        """A value for a file of the guest."""
        self.write(target.removeprefix(">"), value + "\n")
        return ""

    def command(self, line):
        """What a command of a session prints."""
        known = {"gtune": self.gtune, "gtune-host": self.host, "reboot": self.reboot, "echo": self.echo}
        name, *words = shlex.split(line)
        if name not in known:
            raise ValueError(f"a session cannot run {name}")
        return known[name](*words)


def differences(build, directory, text):
    """A sentence for each command of a page's sessions that prints something else."""
    guest = Guest(build, directory)
    try:
        for line, expected in session(text):
            printed = guest.command(line)
            if printed != expected:
                yield f"`{line}` prints\n{printed}and not\n{expected}"
    finally:
        guest.close()


def out_of_step(english, chinese):
    """What the translation does not have as the original has it: code, and the number of headings and table rows."""
    for kind in ("console", "sh"):
        if without_comments(code(english, kind)) != without_comments(code(chinese, kind)):
            yield f"the blocks \"{kind}\" are not the same"
    for what, pattern in (("headings", r"^#+ "), ("table rows", r"^\|"), ("list items", r"^- ")):
        counts = [len(re.findall(pattern, FENCE.sub("", text), re.M)) for text in (english, chinese)]
        if counts[0] != counts[1]:
            yield f"{counts[0]} {what} became {counts[1]}"


def without_comments(blocks):
    """Code without the comments at the ends of lines, which are translated."""
    return [re.sub(r" +# .*$", "", block, flags=re.M) for block in blocks]
