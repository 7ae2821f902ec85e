#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the completions of bash, zsh and fish from what the programs themselves say of their commands and options, so that
the one cannot drift from the other: completions.py INVAR FORGE FOLDER
"""
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field

FILES = {"FILE", "PATH", "IMAGE", "FOLDER"}


@dataclass
class Option:
    names: list  # ["-o", "--output"]
    argument: str  # "FILE"; "" if it takes none
    help: str
    choices: list = field(default_factory=list)
    commands: set = field(default_factory=set)  # that take it; empty: all

    @property
    def is_file(self):
        return self.argument in FILES


@dataclass
class Command:
    name: str
    arguments: list  # ["IMAGE", "[PID]"]
    help: str


@dataclass
class Program:
    name: str
    options: list
    commands: list = field(default_factory=list)
    words: dict = field(default_factory=dict)  # what stands for an argument such as "[ID]": [(word, help)]


def output(*arguments):
    return subprocess.run(arguments, capture_output=True, text=True, check=True).stdout


def option_rows(text):
    """(specification, help) of each line about options."""
    return re.findall(r"^ +(-.*?)(?:  +(.*))?$", text, re.MULTILINE)


def read_options(text):
    """The options of a help text. "-o, --output FILE" is one, "--help, --version" are two."""
    options = []
    for row, about in option_rows(text):
        short = re.findall(r"(?<!\S)-\w(?=[, ]|$)", row)
        argument = re.search(r" ([A-Za-z|-]+)$", row)
        argument = argument[1] if argument and not argument[1].startswith("-") else ""
        for long in re.findall(r"--[a-z-]+", row):
            choices = argument.split("|") if "|" in argument and argument.islower() else []
            options.append(Option([*short, long], argument, about.strip(), choices))
    return options


def read_invar(path):
    text = output(path, "--help")
    commands = [Command(name, arguments.split(), about)
                for name, arguments, about in re.findall(r"^  ([a-z]+) +((?:[A-Z|]+ ?|\[[A-Z|]+\] ?)*) *(.*)$", text, re.MULTILINE)]
    names = {command.name for command in commands}
    options = read_options(text[text.index("\n  -"):])
    for option in options:
        of = re.match(r"([a-z]+(?:, [a-z]+)*): (.*)", option.help)
        if of and set(of[1].split(", ")) <= names:
            option.commands, option.help = set(of[1].split(", ")), of[2]
    # Options that one command takes are told of by its own help, with their arguments.
    for command in commands:
        for own in read_options(output(path, command.name, "--help")):
            for option in options:
                if option.names[-1] == own.names[-1] and option.commands:
                    option.commands.add(command.name)
                    if not option.argument and own.argument:
                        option.argument, option.help = own.argument, own.help
    ids = [(row["id"], row["statement"]) for row in json.loads(output(path, "explain", "--format", "json"))]
    return Program("invar", options, commands, {"[ID]": ids})


def read_forge(path):
    text = output(path, "--help")
    options = read_options(text)
    for option in options:
        if option.argument == "FORMAT":
            option.choices = option.help.replace(" (default)", "").split(", ")
        elif option.argument == "WHAT":
            option.choices = re.search(r"--list ([a-z|]+)", text)[1].split("|")
        elif option.argument == "KERNEL":
            option.choices = [line.split("\t")[0] for line in output(path, "--list", "kernels").splitlines()]
    return Program("invar-forge", options)


def places(program):
    """(place, what stands there, the commands of which it does)."""
    found = {}
    for command in program.commands:
        for place, argument in enumerate(command.arguments, 1):
            found.setdefault((place, argument), []).append(command.name)
    return [(place, argument, names) for (place, argument), names in found.items()]


# -- bash ---------------------------------------------------------------------------------------------------------------------


def bash_values(option):
    if option.is_file:
        return "_filedir"
    return f'COMPREPLY=($(compgen -W "{" ".join(option.choices)}" -- "$cur"))' if option.choices else ":"


def names_of(options):
    return " ".join(name for option in options for name in option.names)


def own_options(program):
    """The options that not all commands take -> those that take them."""
    owners = {}
    for command in program.commands:
        own = names_of(option for option in program.options if command.name in option.commands)
        if own:
            owners.setdefault(own, []).append(command.name)
    return owners


def bash(program):
    function = "_" + program.name.replace("-", "_")
    taking = [option for option in program.options if option.argument]
    common = [option for option in program.options if not option.commands]
    lines = [
        f"# bash completion for {program.name}, written by tools/completions.py",
        f"{function}()", "{",
        "\tlocal cur prev words cword split",
        "\t_init_completion -s || return",
        "\tcase $prev in",
    ]
    values = {}
    for option in taking:
        values.setdefault(bash_values(option), []).extend(option.names)
    for value, names in values.items():
        lines += [f"\t{' | '.join(names)})", f"\t\t{value}", "\t\treturn", "\t\t;;"]
    lines += [
        "\tesac",
        "\t$split && return",
        "\tlocal i command= count=0",
        "\tfor ((i = 1; i < cword; i++)); do",
        "\t\tcase ${words[i]} in",
        f"\t\t{' | '.join(name for option in taking for name in option.names)}) ((i++)) ;;",
        "\t\t-*) ;;",
        "\t\t*)",
        "\t\t\t[[ $command ]] || command=${words[i]}",
        "\t\t\t((count++))",
        "\t\t\t;;",
        "\t\tesac",
        "\tdone",
        "\tif [[ $cur == -* ]]; then",
        f'\t\tlocal options="{names_of(common)}"',
    ]
    if program.commands:
        lines.append("\t\tcase $command in")
        for options, names in own_options(program).items():
            lines.append(f'\t\t{" | ".join(names)}) options+=" {options}" ;;')
        lines.append("\t\tesac")
    lines += ['\t\tCOMPREPLY=($(compgen -W "$options" -- "$cur"))', "\t\treturn", "\tfi"]
    if program.commands:
        lines += [
            "\tif ((count == 0)); then",
            "\t\t_filedir",
            f'\t\tCOMPREPLY+=($(compgen -W "{" ".join(command.name for command in program.commands)}" -- "$cur"))',
            "\t\treturn", "\tfi",
            "\tcase $command:$count in",
        ]
        for place, argument, names in places(program):
            word = " | ".join(f"{name}:{place}" for name in names)
            if argument in FILES:
                lines.append(f"\t{word}) _filedir ;;")
            elif argument in program.words:
                words = " ".join(word for word, _ in program.words[argument])
                lines.append(f'\t{word}) COMPREPLY=($(compgen -W "{words}" -- "${{cur^^}}")) ;;')
        lines.append("\tesac")
    else:
        lines.append("\t((count == 0)) && _filedir lua")
    lines += ["} &&", f"\tcomplete -F {function} {program.name}", ""]
    return "\n".join(lines)


# -- zsh ----------------------------------------------------------------------------------------------------------------------


def quoted(text):
    return "'" + text.replace("'", "'\\''") + "'"


def zsh_text(text):
    return re.sub(r"([\[\]:\\])", r"\\\1", text)


def zsh_option(option):
    """An option as _arguments takes it."""
    action = ""
    if option.argument:
        action = ":" + zsh_text(option.argument.lower().replace("|", " or ")) + ":"
        action += "_files" if option.is_file else f"({' '.join(option.choices)})" if option.choices else " "
    text = f"[{zsh_text(option.help)}]" if option.help else ""
    many = "more than once" in option.help or "again" in option.help or "twice" in option.help
    specs = []
    for name in option.names:
        assign = "=" if option.argument and name.startswith("--") else "+" if option.argument else ""
        exclude = "*" if many else f"({' '.join(option.names)})"
        specs.append(quoted(exclude + name + assign + text + action))
    return " ".join(specs)


def zsh(program):
    function = "_" + program.name
    lines = [f"#compdef {program.name}", "# written by tools/completions.py", "",
             "local curcontext=$curcontext state line", "typeset -A opt_args", "local -a options"]
    lines.append("options=(")
    lines += [f"\t{zsh_option(option)}" for option in program.options if not option.commands]
    lines.append(")")
    if not program.commands:
        lines.append("_arguments -S $options '1:scenario:_files -g \"*.lua\"'")
        return "\n".join(lines) + "\n"
    names = "|".join(command.name for command in program.commands)
    lines += [f"local command=${{words[(r)({names})]}}", "case $command in"]
    for command in program.commands:
        own = [zsh_option(option) for option in program.options if command.name in option.commands]
        if own:
            lines += [f"{command.name})", f"\toptions+=({' '.join(own)})", "\t;;"]
    lines += ["esac", "_arguments -C -S $options '1:command or image:->first' '*:argument:->rest' && return 0", "case $state in",
              "first)", "\tlocal -a commands", "\tcommands=("]
    lines += ["\t\t" + quoted(f"{command.name}:{command.help}") for command in program.commands]
    lines += ["\t)", "\t_describe -t commands command commands", "\t_files", "\t;;", "rest)", "\tcase $line[1]:$#line in"]
    for place, argument, names in places(program):
        word = f"({'|'.join(names)}):{place + 1}"
        if argument in FILES:
            lines.append(f"\t{word}) _files ;;")
        elif argument in program.words:
            lines += [f"\t{word})", "\t\tlocal -a known", "\t\tknown=("]
            lines += ["\t\t\t" + quoted(f"{known}:{about}") for known, about in program.words[argument]]
            lines += ["\t\t)", "\t\t_describe -t words word known", "\t\t;;"]
    lines += ["\tesac", "\t;;", "esac", ""]
    return "\n".join(lines)


# -- fish ---------------------------------------------------------------------------------------------------------------------


def fish_quoted(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def fish(program):
    lines = [f"# fish completion for {program.name}, written by tools/completions.py"]
    if program.commands:
        lines.append(f"set -l commands {' '.join(command.name for command in program.commands)}")
    for command in program.commands:
        lines.append(f'complete -c {program.name} -n "not __fish_seen_subcommand_from $commands" -a {command.name} '
                     f"-d {fish_quoted(command.help)}")
    for option in program.options:
        words = [f"complete -c {program.name}"]
        if option.commands:
            words.append(f"-n '__fish_seen_subcommand_from {' '.join(sorted(option.commands))}'")
        for name in option.names:
            words.append(f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}")
        if option.is_file:
            words.append("-r -F")
        elif option.argument:
            words.append("-x" + (f" -a {fish_quoted(' '.join(option.choices))}" if option.choices else ""))
        if option.help:
            words.append(f"-d {fish_quoted(option.help)}")
        lines.append(" ".join(words))
    for command in program.commands:
        if not command.arguments or command.arguments[0] not in FILES:
            lines.append(f"complete -c {program.name} -n '__fish_seen_subcommand_from {command.name}' -f")
        for word, about in program.words.get("".join(command.arguments), []):
            lines.append(f"complete -c {program.name} -n '__fish_seen_subcommand_from {command.name}' -f -a {word} "
                         f"-d {fish_quoted(about)}")
    return "\n".join(lines) + "\n"


def main(invar, forge, folder):
    for program in read_invar(invar), read_forge(forge):
        for name, text in ((program.name, bash(program)), ("_" + program.name, zsh(program)), (program.name + ".fish", fish(program))):
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(text)


if __name__ == "__main__":
    main(*sys.argv[1:])
