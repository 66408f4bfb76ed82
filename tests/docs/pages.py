# SPDX-License-Identifier: Apache-2.0
"""Reads the sources of the man pages: headings, and below them terms with what is said of each."""

import re

MARKUP = re.compile(r"(?<![\w\\])_(?=\S)(.+?)(?<!\\)_(?!\w)")


def plain(text):
    """Text without scdoc's marks, and with single blanks."""
    text = MARKUP.sub(r"\1", text)
    text = re.sub(r"(?<!\\)\*", "", text)
    return " ".join(re.sub(r"\\(.)", r"\1", text).split())


def without_literals(text):
    """Text without its literal blocks, which hold no terms."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)


class Page:
    """A man page. "terms" has for each heading a dictionary of terms, in scdoc's own words, to plain text."""

    def __init__(self, text):
        self.text = text
        self.plain = plain(text)
        self.terms = {}
        heading, term = "", None
        for line in without_literals(text).split("\n"):
            if line.startswith("#"):
                heading, term = line.lstrip("# "), None
                self.terms[heading] = {}
            elif line.startswith("\t") and term:
                self.terms[heading][term] += " " + line.strip()
            elif line.startswith(("*", "_")) and heading:
                term = line
                self.terms[heading][term] = ""
            else:
                term = None
        for entries in self.terms.values():
            for name in [n for n, words in entries.items() if not words]:
                del entries[name]

    def below(self, heading):
        """Plain terms of a heading, with the plain text of each."""
        return {plain(term): plain(words) for term, words in self.terms.get(heading, {}).items()}

    def headings(self, pattern):
        """What the group of a pattern matches in each heading."""
        return [match.group(1) for heading in self.terms if (match := re.fullmatch(pattern, heading))]
