# SPDX-License-Identifier: Apache-2.0
"""A real interactive shell on a pseudo-terminal."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time

LIMIT_SECONDS = 20
PROMPT = "ready> "
HOME, END, ENTER, TAB, DISCARD = "\x01", "\x05", "\r", "\t", "\x15"
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|[\x07\x00]")
QUIET_SECONDS = 0.3
LIST_SECONDS = 1.5  # a list may come in parts, long after the echo of the keys


class Shell:
    """Takes keys and gives what is on the screen."""

    takes_suffix_back = False

    def __init__(self, words, environment, directory, setup):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(directory)
            os.execvpe(words[0], words, environment)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 250, 0, 0))
        for line in setup:
            self.type(line + ENTER)
        self.type("echo set-'up'" + ENTER)
        self.read_until(r"\nset-up\s[^~]*" + PROMPT)

    def close(self):
        """Ends the shell."""
        os.close(self.fd)
        os.kill(self.pid, signal.SIGHUP)
        os.waitpid(self.pid, 0)

    def type(self, keys):
        """Presses keys."""
        os.write(self.fd, keys.encode())

    def read(self, seconds):
        """What comes within a time, or nothing."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return ""
        return os.read(self.fd, 65536).decode(errors="replace")

    def read_until(self, pattern):
        """All that came up to a pattern."""
        text, end = "", time.monotonic() + LIMIT_SECONDS
        while not re.search(pattern, ESCAPES.sub("", text)):
            if time.monotonic() > end:
                raise TimeoutError(f"no {pattern!r} in {text!r}")
            text += self.read(0.1)
        return ESCAPES.sub("", text)

    def read_quiet(self, seconds=QUIET_SECONDS):
        """All that comes until nothing comes any more for a time."""
        text, more = "", self.read(LIMIT_SECONDS)
        while more:
            text += more
            more = self.read(seconds)
        return ESCAPES.sub("", text)

    def completed(self, keys):
        """The line after TAB: the shell itself echoes it, between marks."""
        self.type(keys + TAB)
        self.read_quiet()
        self.type(HOME + "echo '[" + END + "]'" + ENTER)
        text = self.read_until(r"[\r\n]\[[^\r\n]*\]\r?\n[^\n]*" + PROMPT)
        return re.findall(r"[\r\n]\[([^\r\n]*)\]\r?\n", text)[-1]

    def offered(self, keys):
        """The words that TAB lists. A signal in the middle of a completion could stop the shell for good."""
        self.type(keys + TAB)
        text = self.read_quiet(LIST_SECONDS)
        self.type(DISCARD + ENTER)
        self.read_until(PROMPT)
        return {word.rstrip("/=") for word in text.replace(keys.strip(), "", 1).split()}
