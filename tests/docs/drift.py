# SPDX-License-Identifier: Apache-2.0
"""Compares what the pages say with the tables of the built programs, both ways.

Each function takes the facts of the programs and the pages, and yields a sentence for each difference.
"""

import re

COMMON = ("REASONS OF SEVERAL PRACTICES", "REASONS OF BOOT FILES")
OPTION = re.compile(r"(?:-(\w), )?--([a-z-]+)(?: ([A-Z]+))?")


class Facts:
    """What the programs say of themselves."""

    def __init__(self, programs, channel, units, messages, outcomes):
        self.programs = programs
        self.practices = {name: programs["gtune"].explain(name) for name in programs["gtune"].practices}
        self.commands = channel.commands()
        self.channel = channel
        self.units, self.messages, self.outcomes = units, messages, outcomes

    def documents(self):
        """What `gtune explain` says of each practice."""
        return list(self.practices.values())

    def common_reasons(self):
        """Those that several practices can give."""
        every = [reason for d in self.documents() for reason in d["reasons"].items()]
        return {code: words for code, words in every if every.count((code, words)) > 1}


def both_ways(what, program, page):
    """A sentence for what only one of them has."""
    for name in sorted(set(program) - set(page)):
        yield f"{what} {name} is missing in the page"
    for name in sorted(set(page) - set(program)):
        yield f"{what} {name} of the page does not exist"


def same_words(what, program, page):
    """Both ways, and the program's sentence must be in the page's text."""
    yield from both_ways(what, program, page)
    for name in sorted(set(program) & set(page)):
        if " ".join(program[name].split()) not in page[name]:
            yield f"{what} {name} has another meaning in the page"


def verbs(facts, pages):
    """Verbs with their arguments."""
    for name in ("gtune", "gtune-host"):
        own = [" ".join((v.name, *v.arguments)) for v in facts.programs[name].verbs]
        yield from both_ways(f"{name}: the verb", own, pages[f"{name}.1"].below("VERBS"))


def options(facts, pages):
    """Options with letter and argument."""
    for name, page in (("gtune", "gtune.1"), ("gtune-host", "gtune-host.1"), ("gtuned", "gtuned.8")):
        own = [(o.letter, o.name, o.argument) for o in facts.programs[name].options]
        said = [OPTION.fullmatch(term).groups() for term in pages[page].below("OPTIONS")]
        yield from both_ways(f"{name}: the option", map(str, own), map(str, said))


def option_values(facts, pages):
    """The values that an option takes are named where it is described."""
    for name in ("gtune", "gtune-host"):
        texts = pages[f"{name}.1"].below("OPTIONS")
        for option in facts.programs[name].options:
            text = next((words for term, words in texts.items() if f"--{option.name}" in term), "")
            for value in option.choices:
                if not re.search(rf"\b{value}\b", text):
                    yield f"{name}: the value {value} of --{option.name} is missing in the page"


def baseline_commands(facts, pages):
    """What follows `gtune baseline`."""
    own = facts.programs["gtune"].sub_commands("baseline")
    yield from both_ways("the command of baseline", own, pages["gtune.1"].below("BASELINE COMMANDS"))


def statuses(facts, pages):
    """Exit statuses."""
    for name in ("gtune", "gtune-host"):
        said = pages[f"{name}.1"].below("EXIT STATUS")
        yield from both_ways(f"{name}: the exit status", facts.programs[name].statuses, said)


def states(facts, pages):
    """States of a practice."""
    own = facts.documents()[0]["states"]
    yield from same_words("the state", own, pages["gtuned-practices.7"].below("STATES"))


def practices(facts, pages):
    """Practices, and what is said of each."""
    page = pages["gtuned-practices.7"]
    yield from both_ways("the practice", facts.practices, page.headings("Reasons of (.*)"))
    yield from both_ways("the practice", facts.practices, page.below("DESCRIPTION"))
    for name, document in facts.practices.items():
        for part in ("purpose", "how", "helps", "harms", "proof"):
            if " ".join((document[part] or "").split()) not in page.plain:
                yield f"the practice {name} has another \"{part}\" in the page"


def reasons(facts, pages):
    """Reason codes: of one practice, and those of several."""
    page, common = pages["gtuned-practices.7"], facts.common_reasons()
    said = {code: words for heading in COMMON for code, words in page.below(heading).items()}
    yield from same_words("the reason", common, said)
    for name, document in facts.practices.items():
        own = {code: words for code, words in document["reasons"].items() if code not in common}
        yield from same_words(f"{name}: the reason", own, page.below(f"Reasons of {name}"))


def secrets(facts, pages):
    """The table of what is redacted."""
    own = {row["text"]: row["meaning"] for row in facts.programs["gtune"].explain("secrets")["secrets"]}
    yield from same_words("the secret", own, pages["gtune.1"].below("SECRETS"))


def what_to_do(_facts, pages):
    """Each reason says what to do, or that there is nothing to do."""
    page = pages["gtuned-practices.7"]
    for heading in (*COMMON, *(f"Reasons of {name}" for name in page.headings("Reasons of (.*)"))):
        for code, words in page.below(heading).items():
            if not re.search(r"\. (Do: [A-Z]|Nothing (has to|can) be done)", words):
                yield f"the reason {code} does not say what to do"


def key_of(section, term):
    """"[guest] vcpu = auto | dedicated" as name and values."""
    name, _, values = term.partition(" = ")
    return f"[{section}] {name}", tuple(values.split(" | ")) if " | " in values else ()


def keys(facts, pages):
    """Sections and keys of the policy, with the words that a key may be."""
    page = pages["gtuned.conf.5"]
    own = {f"[{k['section']}] {k['name']}": tuple(k["choices"] or ()) for d in facts.documents() for k in d["keys"]}
    said = dict(key_of(s, term) for s in page.headings(r"\[(.*)\]") for term in page.below(f"[{s}]"))
    yield from both_ways("the key", own, said)
    for key in sorted(set(own) & set(said)):
        if own[key] and own[key] != said[key]:
            yield f"the key {key} has other values in the page"


def argument_names(term):
    """"gtune-plan [offset]" as {"offset": False}: is it required?"""
    return {word.strip("[]"): not word.startswith("[") for word in term.split()[1:]}


def accepts(channel, command, argument):
    """Whether a command knows an argument: an object is of the wrong type for each."""
    desc = channel.ask(command, {argument: {}})["error"]["desc"]
    return "is unexpected" not in desc


def requires(channel, command, argument, others):
    """Whether a command asks for an argument where it has the others."""
    reply = channel.ask(command, {other: "x" for other in others if other != argument})
    return f"'{argument}' is missing" in reply.get("error", {}).get("desc", "")


def command_arguments(facts, command, said, known):
    """What is said of a command's arguments, tried out with every name that any command has."""
    for argument in sorted(known):
        if accepts(facts.channel, command, argument) != (argument in said):
            yield f"the command {command} and its argument {argument} do not go together"
        elif argument in said and requires(facts.channel, command, argument, said) != said[argument]:
            yield f"the argument {argument} of {command} is not as required as the page says"


def commands(facts, pages):
    """Commands of the channel with their arguments."""
    said = {term.split()[0]: argument_names(term) for term in pages["gtuned.8"].below("CHANNEL COMMANDS")}
    yield from both_ways("the command", facts.commands, said)
    known = {name for arguments in said.values() for name in arguments}
    for command in sorted(set(facts.commands) & set(said)):
        yield from command_arguments(facts, command, said[command], known)


def units(facts, pages):
    """Units that are installed."""
    said = {unit for term in pages["gtuned.8"].below("UNITS AND RIGHTS") for unit in term.split(", ")}
    yield from both_ways("the unit", facts.units, said)


def messages(facts, pages):
    """Messages that the journal's catalog explains."""
    yield from both_ways("the message", facts.messages, pages["gtuned.8"].below("JOURNAL"))


def outcomes(facts, pages):
    """What gtune-host says of a guest that gave no report."""
    yield from both_ways("the outcome", facts.outcomes, pages["gtune-host.1"].below("OUTCOMES"))


def references(_facts, pages):
    """Pages of ours that a page refers to."""
    for name, page in pages.items():
        for found, number in re.findall(r"\b(gtune[a-z.-]*)\((\d)\)", page.plain):
            if f"{found}.{number}" not in pages:
                yield f"{name} refers to {found}({number}), which does not exist"


CHECKS = (verbs, options, option_values, baseline_commands, statuses, states, practices, reasons, secrets, what_to_do, keys,
          commands, units, messages, outcomes, references)
