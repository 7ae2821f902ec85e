#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a shell offers after part of a command line: test_completions.py bash|zsh|fish FOLDER INVAR

Each shell is asked in its own way, with the completions that were built. Left out, with a word, if the shell is missing.
"""
import json
import os
import pty
import select
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

BASH_COMPLETION = "/usr/share/bash-completion/bash_completion"
# What is typed, and what it becomes when the key for completion is struck. "machine.raw" and "scenario.lua" are in the folder.
BECOMES = {
    "invar ch": "invar check",
    "invar wit": "invar witnesses",
    "invar mach": "invar machine.raw",
    "invar check mach": "invar check machine.raw",
    "invar --no-s": "invar --no-sandbox",
    "invar ps --a": "invar ps --all",
    "invar check --y": "invar check --yara",
    "invar extract --ra": "invar extract --range",
    "invar --format nd": "invar --format ndjson",
    "invar ps --format=nd": "invar ps --format=ndjson",
    "invar --format json ch": "invar --format json check",
    "invar -o mach": "invar -o machine.raw",
    "invar check --color al": "invar check --color always",
    "invar explain X0": None,
    "invar-forge --tru": "invar-forge --truth",
    "invar-forge --format bitmap-": "invar-forge --format bitmap-kernel",
    "invar-forge --list op": "invar-forge --list operations",
    "invar-forge --kernel 10.0.22": None,
    "invar-forge sce": "invar-forge scenario.lua",
}
# What must be among that which is offered, and what must not be.
OFFERS = {
    "invar ": ({"check", "ps", "explain", "machine.raw"}, set()),
    "invar ps --": ({"--all", "--format", "--threads"}, {"--yara", "--range"}),
    "invar info --": ({"--format", "--help"}, {"--all", "--yara"}),
    "invar explain ": ("ids", set()),
    "invar machine.raw --format ": ({"text", "json", "ndjson", "csv"}, {"machine.raw"}),
}


def ask_bash(line, files, folder):
    """What bash-completion puts into COMPREPLY."""
    script = f"""
        source {BASH_COMPLETION}; source {shlex.quote(files)}/invar; source {shlex.quote(files)}/invar-forge
        COMP_LINE={shlex.quote(line)}; COMP_POINT=${{#COMP_LINE}}; COMP_TYPE=9; COMP_KEY=9
        words=${{COMP_LINE/=/ = }}; COMP_WORDS=($words); [[ $COMP_LINE == *' ' ]] && COMP_WORDS+=('')
        COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
        name=${{COMP_WORDS[0]}}
        _${{name//-/_}} "$name" "${{COMP_WORDS[COMP_CWORD]}}" "${{COMP_WORDS[COMP_CWORD - 1]}}"
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "--norc", "-c", script], capture_output=True, text=True, cwd=folder, timeout=30, check=False)
    if done.stderr:
        sys.exit(f"{line}: {done.stderr}")
    # A word behind "=" is offered bare.
    return {word.strip() for word in done.stdout.split("\n") if word.strip()}


def ask_fish(line, files, folder):
    script = f"source {files}/invar.fish; source {files}/invar-forge.fish; complete -C {shlex.quote(line)}"
    done = subprocess.run(["fish", "--no-config", "-c", script], capture_output=True, text=True, cwd=folder, timeout=30, check=False)
    if done.returncode or done.stderr:
        sys.exit(f"{line}: {done.stderr}")
    return {word.split("\t")[0].rpartition("=")[2] for word in done.stdout.splitlines()}


class Zsh:
    """A shell at a terminal. What it makes of a line, and what it offers, is asked by keys that are bound here."""

    SETUP = """
        PROMPT=; RPROMPT=; unsetopt ZLE_RPROMPT_INDENT; setopt NO_BEEP NO_LIST_BEEP
        fpath=({files} $fpath); autoload -Uz compinit; compinit -u -D
        zstyle ':completion:*' list-prompt ''; LISTMAX=10000
        compadd() {{
            # With -O, -A and -D it only sorts words into arrays, for its caller.
            if [[ -z ${{(M)@[1,(i)(-|--)]:#-[OAD]*}} ]]; then
                local -a hits; builtin compadd -A hits "$@"; print -rl -- $hits >>{folder}/offers
            fi
            builtin compadd "$@"
        }}
        report() {{ print -r -- "$BUFFER" >{folder}/line; BUFFER= }}
        zle -N report; bindkey '^X' report
    """

    def __init__(self, files, folder):
        self.folder = folder
        self.process, self.terminal = pty.fork()
        if self.process == 0:
            os.chdir(folder)
            os.environ.update(TERM="dumb", COLUMNS="200", LINES="1000", ZDOTDIR=folder)
            os.execvp("zsh", ["zsh", "-f", "-i"])
        setup = os.path.join(folder, "setup")
        with open(setup, "w", encoding="utf-8") as file:
            file.write(self.SETUP.format(files=files, folder=folder))
        self.type(f"source {setup}\n")
        self.ask("")

    def type(self, text):
        os.write(self.terminal, text.encode())

    def ask(self, line):
        """(the line after the key for completion, what was offered)."""
        told, offers = os.path.join(self.folder, "line"), os.path.join(self.folder, "offers")
        for path in told, offers:
            if os.path.exists(path):
                os.unlink(path)
        self.type(line + ("\t" if line else "") + "\x18")
        end = time.monotonic() + 30
        while not os.path.exists(told) or not os.path.getsize(told):
            if time.monotonic() > end:
                sys.exit(f"zsh does not answer to: {line}")
            if select.select([self.terminal], [], [], 0.05)[0]:
                os.read(self.terminal, 65536)
        with open(told, encoding="utf-8") as file:
            became = file.read().strip()
        offered = set()
        if os.path.exists(offers):
            with open(offers, encoding="utf-8") as file:
                offered = {word.strip() for word in file}
        return became, offered

    def end(self):
        self.type("exit\n")
        os.close(self.terminal)
        os.waitpid(self.process, 0)


def main(shell, files, invar):
    if not shutil.which(shell) or (shell == "bash" and not os.path.exists(BASH_COMPLETION)):
        print(f"{shell} is missing" if shell != "bash" else "bash-completion is missing")
        sys.exit(77)
    ids = {row["id"] for row in json.loads(subprocess.run([invar, "explain", "--format", "json"], capture_output=True, check=True).stdout)}
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        work = os.path.join(folder, "work")
        os.mkdir(work)
        for name in "machine.raw", "scenario.lua":
            with open(os.path.join(work, name), "wb"):
                pass
        zsh = Zsh(files, work) if shell == "zsh" else None

        def offers(line):
            return zsh.ask(line)[1] if zsh else ask_bash(line, files, work) if shell == "bash" else ask_fish(line, files, work)

        for line, wanted in BECOMES.items():
            if zsh and wanted:
                got = zsh.ask(line)[0].rstrip("=")  # which goes when a blank is typed
            else:
                found = offers(line)
                word = line.split(" ")[-1].rpartition("=")[2]
                got = line[:len(line) - len(word)] + found.pop() if len(found) == 1 else f"one of {sorted(found)}"
                if wanted is None:
                    got = None if found and all(name.startswith(word) for name in found) else got
            if got != wanted:
                failed += 1
                print(f"'{line}' becomes '{got}' instead of '{wanted}'")
        for line, (wanted, unwanted) in OFFERS.items():
            found = offers(line)
            wanted = ids if wanted == "ids" else wanted
            if not wanted <= found or unwanted & found:
                failed += 1
                print(f"after '{line}': missing {sorted(wanted - found)}, wrong {sorted(unwanted & found)}")
        if zsh:
            zsh.end()
    sys.exit(failed > 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
