# SPDX-License-Identifier: Apache-2.0
"""What the scripts of this folder share: forged images with their truth, kernels to choose from, kept answers, tables."""
import argparse
import collections
import hashlib
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SCENARIOS = os.path.join(os.path.dirname(HERE), "scenarios")
CANONICAL = (1 << 48) - 1  # Volatility shows addresses without the copies of bit 47
LEFT_OUT = 77
# MemProcFS takes a list of ten processes or fewer for a failure.
DESKTOP = "local m = desktop()\n"
BARE = "\ndesktop()\n"
CROWD = 'for _ = 1, 12 do process{name = "mspaint.exe", parent = m.explorer, session = 1, threads = 2} end\n'


def leave_out(why):
    """Ends the script as a test that could not be made."""
    print(f"left out: {why}")
    sys.exit(LEFT_OUT)


def address(text):
    """An address of the truth or a report as the peers show it."""
    return int(text, 16) & CANONICAL


def seconds(text):
    """A time of the truth to the second, None if there is none: what peers agree to show."""
    return text[:19].replace("T", " ") if text else None


def digest(path):
    """A name for the content of a sparse file, without reading its holes."""
    total = hashlib.sha256()
    with open(path, "rb") as file:
        end, at = file.seek(0, os.SEEK_END), 0
        total.update(str(end).encode())
        while at < end:
            try:
                at = os.lseek(file.fileno(), at, os.SEEK_DATA)
            except OSError:  # only a hole is left
                break
            hole = os.lseek(file.fileno(), at, os.SEEK_HOLE)
            file.seek(at)
            total.update(f"{at}:".encode())
            while at < hole:
                block = file.read(min(hole - at, 1 << 20))
                total.update(block)
                at += len(block)
    return total.hexdigest()[:32]


def listed_kernels(forge):
    """All kernels of the forge: version, build, guid and age, from the oldest."""
    listed = subprocess.run([forge, "--list", "kernels"], capture_output=True, text=True, check=True)
    rows = []
    for line in listed.stdout.splitlines():
        version, guid = line.split()[:2]
        rows.append({"version": version, "guid": guid, "build": int(version.split(".")[2])})
    return sorted(rows, key=lambda row: [int(part) for part in row["version"].split(".")])


def choose_kernels(forge, wish):
    """'newest' of each build, the 'ends' of each build, or versions and GUIDs with commas between them."""
    rows = listed_kernels(forge)
    if wish not in ("newest", "ends"):
        return [row for name in wish.split(",") for row in rows if name in (row["version"], row["guid"])]
    chosen = []
    for build in sorted({row["build"] for row in rows}):
        family = [row for row in rows if row["build"] == build]
        chosen.append(family[-1])
        if wish == "ends" and len(family) > 1:
            chosen.append(family[0])
    return chosen


class Forged:
    """An image made from a scenario, with its truth. `folder` must outlive it. With a `crowd`, a dozen honest processes are
    added to a scenario that has few, at its end if it makes its own desktop; `more` is done before the scenario does anything else."""

    def __init__(self, forge, folder, scenario, kernel=None, form="raw", crowd=False, more=""):
        self.scenario, self.form = scenario, form
        self.image = os.path.join(folder, f"image.{form}")
        script, truth = (os.path.join(folder, name) for name in ("scenario.lua", "truth.json"))
        with open(os.path.join(SCENARIOS, scenario, "scenario.lua"), encoding="utf-8") as file:
            text = file.read().replace(BARE, "\n" + DESKTOP)
        with open(script, "w", encoding="utf-8") as file:
            file.write(text.replace(DESKTOP, DESKTOP + (CROWD if crowd else "") + more))
            if crowd and DESKTOP not in text:
                file.write(CROWD.replace("m.explorer", "4"))
        if os.path.exists(self.image):
            os.unlink(self.image)
        command = [forge, script, "-o", self.image, "--truth", truth, "--format", form]
        subprocess.run(command + (["--kernel", kernel["guid"]] if kernel else []), check=True)
        with open(truth, encoding="utf-8") as file:
            self.truth = json.load(file)
        self.digest = digest(self.image)
        self.kernel = self.truth["kernel"]
        self.processes = self.truth["processes"]

    def name(self):
        return f"{self.scenario} on {self.kernel['version']} as {self.form}"

    def listed(self):
        """The processes that stand on PsActiveProcessHead: between insertion and deletion, but never Idle."""
        return [row for row in self.processes
                if row["name"] != "Idle" and row["stage"] in ("whole", "c2", "c3") and row["state"] != "freed"]


class Answers:
    """Answers of a peer, kept in a folder under a key of everything that they depend on."""

    def __init__(self, folder):
        self.folder = folder
        if folder:
            os.makedirs(folder, exist_ok=True)

    def get(self, key, ask):
        if not self.folder:
            return ask()
        path = os.path.join(self.folder, hashlib.sha256(json.dumps(key).encode()).hexdigest()[:40] + ".json")
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                return json.load(file)
        answer = ask()
        if answer is None:  # a failure is asked again
            return None
        with open(path + ".new", "w", encoding="utf-8") as file:
            json.dump(answer, file)
        os.rename(path + ".new", path)
        return answer


class Tally:
    """How the rows of one list compare, over all images of a family."""

    def __init__(self):
        self.expected = self.right = self.wrong = self.missing = self.extra = self.explained = 0
        self.notes = []

    def compare(self, where, expected, found, excuse=lambda key, row: None):
        """Both map a key to a row. `excuse` gives the peer's own fault, if it is one, for a key and the row that was
        expected (None: none was)."""
        self.expected += len(expected)
        for key in sorted(set(expected) | set(found), key=str):
            if key in expected and found.get(key) == expected[key]:
                self.right += 1
                continue
            why = excuse(key, expected.get(key))
            if why:
                self.explained += 1
            elif key not in found:
                self.missing += 1
            elif key not in expected:
                self.extra += 1
            else:
                self.wrong += 1
            self.notes.append((bool(why), f"{where}: {key}: expected {expected.get(key)}, "
                               f"found {found.get(key)}{'; ' + why if why else ''}"))

    def failed(self):
        return self.wrong + self.missing + self.extra


def print_tallies(title, tallies, limit):
    """A table of one family, and under it what was not as expected."""
    print(f"\n{title}\n")
    print("| list | expected | right | wrong | missing | extra | peer's fault |\n|" + " --- |" * 7)
    for name, tally in tallies.items():
        print(f"| {name} | {tally.expected} | {tally.right} | {tally.wrong} | {tally.missing} | {tally.extra} "
              f"| {tally.explained} |")
    for excused in (False, True):
        for name, tally in tallies.items():
            notes = [note for is_excused, note in tally.notes if is_excused == excused]
            for note in notes[:limit]:
                print(f"{'peer' if excused else 'DIFFERS'}: {name}: {note}")
            if len(notes) > limit:
                print(f"  ... and {len(notes) - limit} more of {name}")


def parser_of(text):
    """The command line that the comparisons of clean images have in common."""
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("forge")
    parser.add_argument("--symbols", default=os.environ.get("INVAR_VOLATILITY_SYMBOLS"))
    parser.add_argument("--kernels", default="ends")
    parser.add_argument("--keep")
    parser.add_argument("--limit", type=int, default=5)
    return parser


def compare_families(arguments, plans, lists, crowd, start):
    """Forges the first of `plans` on the newest kernel of each build and the second on the oldest, and compares. Each row
    begins with a scenario and a format. `start(scratch)` gives what compares an image: a function of the image, the rest of
    the row and the tallies of `lists`, which returns what the peer remarked. The exit status."""
    failed = images = 0
    with tempfile.TemporaryDirectory() as scratch:
        compare = start(scratch)
        kernels = choose_kernels(arguments.forge, arguments.kernels)
        for build in dict.fromkeys(kernel["build"] for kernel in kernels):
            family = [kernel for kernel in kernels if kernel["build"] == build]
            tallies, remarks = {name: Tally() for name in lists}, collections.Counter()
            for number, kernel in enumerate(family):
                for scenario, form, *rest in plans[min(number, 1)]:
                    forged = Forged(arguments.forge, scratch, scenario, kernel, form, crowd)
                    images += 1
                    remarks.update(compare(forged, rest, tallies))
            print_tallies(" and ".join(kernel["version"] for kernel in family), tallies, arguments.limit)
            for remark, count in sorted(remarks.items()):
                print(f"remarked: {remark} {count}")
            sys.stdout.flush()
            failed += sum(tally.failed() for tally in tallies.values())
    print(f"\n{images} images, {failed} rows not as expected")
    return 1 if failed or not images else 0
