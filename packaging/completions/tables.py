# SPDX-License-Identifier: Apache-2.0
"""The tables of the programs, as the built programs themselves tell them.

`--help` is printed from the tables of verbs and options, `gtune explain --json` from those of practices, reasons,
states and policy keys, and `guest-info` from that of the channel's commands.
"""

import collections
import contextlib
import json
import pathlib
import re
import socket
import subprocess
import tempfile
import time

Verb = collections.namedtuple("Verb", "name arguments help")
Option = collections.namedtuple("Option", "name letter argument help verbs choices")

OPTION = re.compile(r"^  (?:-(\w), |    )--(\S+)(?: ([A-Z]+))?\s+(\S.*)$")
START_SECONDS = 10


def section(text, title):
    """The lines below a heading of --help, up to an empty one."""
    lines = text.split("\n")
    first = next((i for i, line in enumerate(lines) if line.startswith(title)), None)
    if first is None:
        return []
    rest = lines[first + 1:]
    return rest[:rest.index("")] if "" in rest else rest


def parse_verb(line):
    """A line of the section "Verbs:"."""
    left, right = re.split(r"\s{2,}", line.strip(), maxsplit=1)
    name, *arguments = left.split(" ")
    return Verb(name, tuple(arguments), right)


def choices_of(words):
    """The values in "pcr, quote: sha1, sha256 or sm3" or "what it is: a or b"; none where it is a sentence."""
    values = re.split(r", | or ", words.rpartition(": ")[2])
    return tuple(values) if len(values) > 1 and all(re.fullmatch(r"[a-z0-9_]+", v) for v in values) else ()


def verbs_of(name, words, takers):
    """The verbs that take an option; none where all do.

    They are those in "baseline save, add: …", else those whose own --help lists it. takers has the options of each verb.
    """
    names = {part.split(" ")[0] for part in words.partition(": ")[0].split(", ")} if ": " in words else set()
    known = [verb for verb in takers if verb in names] or [verb for verb in takers if name in takers[verb]]
    return () if len(known) == len(takers) else tuple(known)


def parse_option(line, takers):
    """A line of the section "Options:"."""
    letter, name, argument, words = OPTION.match(line).groups()
    choices = choices_of(words) if argument in ("BANK", "ARCH") else ()
    return Option(name, letter, argument, words, verbs_of(name, words, takers), choices)


class Program:
    """A built program, and what its --help says."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.name = self.path.name
        self.help = self.run("--help")
        self.title = self.help.split("\n")[2]
        self.verbs = [parse_verb(line) for line in section(self.help, "Verbs:")]
        takers = {verb.name: self.option_names(verb.name, "--help") for verb in self.verbs}
        self.options = [parse_option(line, takers) for line in section(self.help, "Options:")]
        self.practices = " ".join(section(self.help, "Practices:")).split()
        self.statuses = sorted(set(re.findall(r"\b([0-9]) ", " ".join(self.status_lines()))))

    def run(self, *words):
        """What the program prints."""
        return subprocess.run([self.path, *words], check=True, capture_output=True, text=True).stdout

    def option_names(self, *words):
        """The names of the options that a help lists."""
        return {OPTION.match(line).group(2) for line in section(self.run(*words), "Options:") if line}

    def status_lines(self):
        """What is said of exit statuses, without the words that only join numbers."""
        return section(self.help, "Exit status")

    def explain(self, practice):
        """The document of a practice."""
        return json.loads(self.run("--json", "explain", practice))

    def sub_commands(self, verb):
        """The words in "save, check: what they are for"."""
        words = next(v.help for v in self.verbs if v.name == verb)
        return words.partition(":")[0].split(", ")


class Channel:
    """A conversation with a daemon that serves a socket."""

    def __init__(self, connection):
        self.socket = connection
        self.file = self.socket.makefile("rwb")

    def ask(self, command, arguments=None):
        """The reply, whole."""
        request = {"execute": command, "arguments": arguments or {}}
        self.file.write(json.dumps(request).encode())
        self.file.flush()
        return json.loads(self.file.readline().lstrip(b"\xff"))

    def commands(self):
        """The names of the commands, in the daemon's order."""
        return [c["name"] for c in self.ask("guest-info")["return"]["supported_commands"]]


def connect(path, process):
    """A connection to a daemon that starts. Its socket has a name a moment before it takes connections."""
    end = time.monotonic() + START_SECONDS
    while True:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(START_SECONDS)
        try:
            connection.connect(str(path))
            return connection
        except (FileNotFoundError, ConnectionRefusedError):
            connection.close()
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"{process.args[0]} does not serve {path}")
        time.sleep(0.01)


@contextlib.contextmanager
def channel(daemon):
    """A daemon on an empty tree, and a conversation with it."""
    with tempfile.TemporaryDirectory() as directory:
        tree, path = pathlib.Path(directory, "tree"), pathlib.Path(directory, "socket")
        tree.mkdir()
        process = subprocess.Popen([daemon, "--root", tree, "--listen", path])
        try:
            yield Channel(connect(path, process))
        finally:
            process.terminate()
            process.wait()
