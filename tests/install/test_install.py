#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `meson install` installs is whole, knows nothing of the tree that it was built in, and can be built upon.

usage: test_install.py BUILD SOURCE FORGE SCENARIO
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

PREFIX = "/usr/local"
SONAME = "libinvar.so.0"


def run(*command, status=0, **options):
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, **options)
    if done.returncode != status:
        sys.exit(f"{' '.join(command)}: status {done.returncode} instead of {status}\n{done.stdout}{done.stderr}")
    return done.stdout


def expect(holds, what):
    if not holds:
        sys.exit(what)


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


def installed(root):
    """Path beneath the prefix -> path, of everything that was installed."""
    found = {}
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            found[os.path.relpath(path, root + PREFIX)] = path
    return found


def find(files, end):
    """The one file whose path ends so."""
    hits = [path for name, path in files.items() if ("/" + name).endswith("/" + end)]
    expect(len(hits) == 1, f"{len(hits)} files are installed as {end}")
    return hits[0]


def check_whole(files):
    wanted = ["bin/invar", "bin/invar-forge", "libinvar.a", "libinvar.so", SONAME, "include/invar/invar.h",
              "pkgconfig/invar.pc", "doc/invar/README.md", "doc/invar/docs/schema.json", "doc/invar/examples/check.c",
              "doc/invar/examples/check.py", "invar/__init__.py", "invar/py.typed",
              "bash-completion/completions/invar", "bash-completion/completions/invar-forge", "site-functions/_invar",
              "site-functions/_invar-forge", "vendor_completions.d/invar.fish", "vendor_completions.d/invar-forge.fish"]
    if shutil.which("scdoc"):
        wanted += ["man/man1/invar.1", "man/man1/invar-forge.1", "man/man3/libinvar.3"]
    for name in wanted:
        find(files, name)


def check_objects(files, folder):
    """No path of the tree, no search path for libraries; the library tells its name."""
    for name, path in sorted(files.items()):
        with open(path, "rb") as file:
            elf = file.read(4) == b"\x7fELF"
        if elf:
            dynamic = run("readelf", "-d", path)
            expect("RPATH" not in dynamic and "RUNPATH" not in dynamic, f"{name} has a search path for libraries")
        if name.endswith(SONAME):
            expect(f"[{SONAME}]" in dynamic, f"{name} has another soname")


def check_paths(files, places, folder):
    """Debugging information apart, which packages take out."""
    for name, path in sorted(files.items()):
        if os.path.islink(path):
            continue
        with open(path, "rb") as file:
            content = file.read()
        if content.startswith((b"\x7fELF", b"!<arch>")):
            bare = os.path.join(folder, "bare")
            run("objcopy", "--strip-debug", path, bare)
            with open(bare, "rb") as file:
                content = file.read()
        for place in places:
            expect(place.encode() not in content, f"{name} names {place}")


def check_symbols(files, source):
    """Only what the header declares is visible, and the package's list of symbols has it."""
    names = {line.split()[-1] for line in run("nm", "-D", "--defined-only", find(files, SONAME)).splitlines()}
    text = read(find(files, "invar/invar.h"))
    expect(names, "the library shows nothing")
    for name in sorted(names):
        expect(name.startswith("invar_") and name + "(" in text, f"the library shows {name}")
    listed = set(re.findall(r"^ (\w+)@", read(source, "debian", "libinvar0.symbols"), re.MULTILINE))
    expect(listed == names, f"debian/libinvar0.symbols differs: {sorted(listed ^ names)}")


def check_versions(files, source):
    """What names the version names the same."""
    version = re.search("^Version: (.*)", read(find(files, "pkgconfig/invar.pc")), re.MULTILINE)[1]
    for name, pattern in (("debian/changelog", r"invar \(([^)]*)\)"), ("python/pyproject.toml", '\nversion = "([^"]*)"')):
        found = re.search(pattern, read(source, name))[1]
        expect(found == version, f"{name} is of {found}, not {version}")


def check_example(files, folder, image, invar):
    """The example of C, built as its users would, against the shared and against the static library."""
    library = os.path.dirname(find(files, SONAME))
    root = find(files, "bin/invar")[: -len(PREFIX + "/bin/invar")]
    environment = dict(os.environ, PKG_CONFIG_PATH=os.path.join(library, "pkgconfig"), PKG_CONFIG_SYSROOT_DIR="",
                       LD_LIBRARY_PATH=library)

    def flags(*arguments):
        return run("pkg-config", f"--define-variable=prefix={root}{PREFIX}", *arguments, env=environment).split()

    source = find(files, "examples/check.c")
    shared, static = os.path.join(folder, "shared"), os.path.join(folder, "static")
    strict = ["cc", "-std=c17", "-Wall", "-Wextra", "-Werror", source]
    run(*strict, "-o", shared, *flags("--cflags", "--libs", "invar", "jansson"))
    libraries = flags("--static", "--cflags", "--libs", "invar", "jansson")
    libraries[libraries.index("-linvar")] = "-l:libinvar.a"
    run(*strict, "-o", static, *libraries)
    expect(SONAME in run("readelf", "-d", shared), "the example does not use the shared library")
    expect(SONAME not in run("readelf", "-d", static), "the example still uses the shared library")

    report = json.loads(run(invar, "check", "--format", "json", image, status=1))
    wanted = "".join(f"{finding['id']} {finding['subject']['kind']} {finding['subject'].get('address') or '-'}\n"
                     for finding in report["findings"])
    expect("L01 process 0x" in wanted, "nothing is broken in the image")
    for program in shared, static:
        got = run(program, image, status=1, env=environment)
        expect(got == wanted, f"{os.path.basename(program)} says\n{got}instead of\n{wanted}")
        done = subprocess.run([program, "/nonexistent"], capture_output=True, text=True, env=environment, check=False)
        expect(done.returncode == 3 and "/nonexistent" in done.stderr, "the example does not say what it cannot open")


def main(build, source, forge, scenario):
    with tempfile.TemporaryDirectory() as folder:
        root, image = os.path.join(folder, "root"), os.path.join(folder, "image")
        run("meson", "install", "--no-rebuild", "-C", build, "--destdir", root)
        prefix = json.loads(run("meson", "introspect", "--buildoptions", build))
        global PREFIX  # pylint: disable=global-statement
        PREFIX = next(option["value"] for option in prefix if option["name"] == "prefix")
        files = installed(root)
        check_whole(files)
        check_objects(files, folder)
        check_paths(files, {build, os.path.abspath(source), root}, folder)
        check_symbols(files, source)
        check_versions(files, source)
        run(forge, scenario, "-o", image)
        check_example(files, folder, image, find(files, "bin/invar"))
        print(f"{len(files)} files")


if __name__ == "__main__":
    main(*sys.argv[1:])
