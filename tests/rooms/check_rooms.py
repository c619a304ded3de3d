#!/usr/bin/env python3
"""Holds the source to the rules of the house (docs/architecture.md):

  arrows     an #include goes only to a room that the including room's CMakeLists.txt names
  owners     each third-party header has its owner rooms
  SQL        only in store
  seams      no clock, sleep, random number or socket past base/clock.hpp, base/random.hpp, net/net.hpp
  size       no file over 600 lines

  check_rooms.py --source ROOT --rooms BUILD/rooms.txt           check
  check_rooms.py --source ROOT --rooms BUILD/rooms.txt --prove   plant one breach of each rule in a
                                                                 copy and see that each is found
"""
import argparse
import dataclasses
import pathlib
import re
import shutil
import sys
import tempfile

MOST_LINES = 600

# Rooms that may include what matches; first match counts. "tests" stands for *_test.cpp and the
# headers of TEST_SUPPORT.
OWNERS = [
    (r"<boost/json", {"base"}),
    (r"<boost/beast|<boost/asio", {"net"}),
    (r"<openssl/", {"net", "auth"}),
    (r"<sqlite3", {"store"}),
    (r"<hwloc", {"os"}),
    (r"<CLI/", {"cli"}),
    (r"<toml", {"base"}),
    (r"<yaml", {"base"}),
    (r"<zlib|<zstd", {"boot"}),
    (r"<google/protobuf|\"proto/", {"tree", "auth", "telemetry", "api", "daemons"}),
    (r"<gtest|<gmock|<rapidcheck", {"tests"}),
    (r"<sys/epoll|<sys/eventfd|<sys/signalfd", {"net"}),
    (r"<sys/socket|<sys/un\.|<netinet/|<arpa/|<netdb", {"net", "os", "nss", "tests"}),
    (r"<dlfcn", {"os"}),
]
# Headers that hold tests or their tools: by name, or listed here.
TEST_SUPPORT_NAME = re.compile(
    r"(^|/)(test_\w+|\w+_test_\w+|\w+_for_tests|\w+_contract|\w+_conformance)\.hpp$")
TEST_SUPPORT = {
    "src/daemons/sim_cluster.hpp",
    "src/store/store_backends.hpp",
}

# What only the real forms of the seams may call. Tests may read the clock, to bound how long they
# take, but not wait by sleeping.
CLOCKS = (r"\b(steady_clock|system_clock|high_resolution_clock)::now\b|\bclock_gettime\s*\("
          r"|\bgettimeofday\s*\(|\btime\s*\(\s*(nullptr|NULL|0)\s*\)")
SLEEPS = r"\bthis_thread::sleep_|\busleep\s*\(|\bnanosleep\s*\(|(?<![\w.:>])sleep\s*\("
LOTS = r"\brandom_device\b|\bmt19937|(?<![\w.:>])s?rand\s*\(|\bgetrandom\s*\(|\bRAND_bytes\s*\("
THREADS = r"\bstd::(thread|jthread|async)\b|\bpthread_create\b|\bco_await\b|\bco_return\b"
SEAMS = [
    ("reads the clock", CLOCKS, {"src/net/loop.cpp", "src/base/log.cpp"}, True),
    ("sleeps", SLEEPS, set(), False),
    ("draws lots", LOTS, {"src/os/real_random.cpp"}, False),
    ("starts threads or coroutines", THREADS, {"src/net/loop_worker.cpp", "src/net/loop_worker.hpp"},
     True),
]
SQL = re.compile(r'"\s*(SELECT|INSERT|UPDATE|DELETE FROM|CREATE TABLE|PRAGMA)\s+[A-Za-z_(*]')
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"][^>"]+[>"])')
# Comments and string literals (raw ones too), so that neither is taken for code.
TOKENS = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"([^()\\ ]{0,16})\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'',
    re.S)


@dataclasses.dataclass(frozen=True)
class Breach:
    path: str
    line: int
    text: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.text}"


@dataclasses.dataclass(frozen=True)
class Room:
    layer: int
    depends: frozenset
    test_depends: frozenset


def read_rooms(path):
    """rooms.txt as cmake/DroverRooms.cmake writes it: `name layer [deps] [test deps]`."""
    rooms = {}
    for line in path.read_text().splitlines():
        match = re.fullmatch(r"(\w+) (\d+) \[([\w,]*)\] \[([\w,]*)\]", line)
        if match is None:
            sys.exit(f"{path}: cannot read line: {line}")
        name, layer, depends, test_depends = match.groups()
        rooms[name] = Room(int(layer), frozenset(filter(None, depends.split(","))),
                           frozenset(filter(None, test_depends.split(","))))
    return rooms


def blank(text, strings):
    """The text with comments, and with `strings` string literals too, replaced by blanks."""
    def replace(match):
        token = match.group(0)
        if not strings and token[0] not in "/":
            return token
        return re.sub(r"[^\n]", " ", token)
    return TOKENS.sub(replace, text)


def is_test_support(path):
    return path in TEST_SUPPORT or TEST_SUPPORT_NAME.search(path) is not None


def is_test(path):
    return path.endswith("_test.cpp") or is_test_support(path)


def check_arrow(rooms, path, room, target, test):
    """Why `room` may not include from room `target`; None when it may."""
    if target == room or room not in rooms:  # bin composes everything
        return None
    allowed = rooms[room].depends | (rooms[room].test_depends if test else frozenset())
    if target in allowed:
        return None
    if rooms[target].layer > rooms[room].layer:
        return (f"room '{room}' (layer {rooms[room].layer}) includes room '{target}' "
                f"(layer {rooms[target].layer}): an arrow that runs back")
    return f"room '{room}' includes room '{target}', which src/{room}/CMakeLists.txt does not name"


def check_includes(rooms, path, room, text):
    test = is_test(path)
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if match is None:
            continue
        header = match.group(1)
        target = header[1:-1].split("/")[0]
        if header[0] == '"' and is_test_support(f"src/{header[1:-1]}") and not test:
            yield Breach(path, number, f"{header} is for tests alone")
        if header[0] == '"' and target in rooms:
            why = check_arrow(rooms, path, room, target, test)
            if why:
                yield Breach(path, number, why)
            continue
        for pattern, owners in OWNERS:
            if re.match(pattern, header):
                if room not in owners and not (test and "tests" in owners):
                    yield Breach(path, number, f"room '{room}' includes {header}, "
                                 f"which belongs to {', '.join(sorted(owners))}")
                break


def check_code(path, room, text):
    code = blank(text, strings=True)
    for what, pattern, real_forms, tests_may in SEAMS:
        if path in real_forms or (tests_may and is_test(path)):
            continue
        for match in re.finditer(pattern, code):
            yield Breach(path, code.count("\n", 0, match.start()) + 1,
                         f"{what} past the seams: {match.group(0).strip()}")
    if room != "store" and not is_test(path):
        with_strings = blank(text, strings=False)
        for match in SQL.finditer(with_strings):
            yield Breach(path, with_strings.count("\n", 0, match.start()) + 1,
                         f"SQL outside store: {match.group(1)}")


def check_file(rooms, source, file):
    path = file.relative_to(source).as_posix()
    room = path.split("/")[1]
    text = file.read_text()
    lines = text.count("\n")
    if lines > MOST_LINES:
        yield Breach(path, lines, f"{lines} lines; one idea per file, at most {MOST_LINES} lines")
    yield from check_includes(rooms, path, room, text)
    yield from check_code(path, room, text)


def check(rooms, source):
    files = sorted(p for p in (source / "src").rglob("*") if p.suffix in (".cpp", ".hpp"))
    return [breach for file in files for breach in check_file(rooms, source, file)]


# One planted breach per rule: (file, what is added to it, what the check must say).
PLANTS = [
    ("src/base/planted.cpp", '#include "daemons/master.hpp"\n', "an arrow that runs back"),
    ("src/tree/planted.cpp", '#include "store/store.hpp"\n', "does not name"),
    ("src/os/planted.hpp", '#include "net/net.hpp"\n', "does not name"),
    ("src/tree/planted.cpp", '#include "sim/world.hpp"\n', "an arrow that runs back"),
    ("src/tree/planted.cpp", "#include <boost/json.hpp>\n", "which belongs to base"),
    ("src/cluster/planted.cpp", "#include <sqlite3.h>\n", "which belongs to store"),
    ("src/base/planted.cpp", "#include <gtest/gtest.h>\n", "which belongs to tests"),
    ("src/net/planted.cpp", '#include "net/certificates_for_tests.hpp"\n', "for tests alone"),
    ("src/api/planted.cpp", 'const char* q = "SELECT * FROM nodes";\n', "SQL outside store"),
    ("src/auth/planted.cpp", "auto t = std::chrono::system_clock::now();\n", "reads the clock"),
    ("src/tree/planted_test.cpp", "std::this_thread::sleep_for(1s);\n", "sleeps"),
    ("src/tree/planted.cpp", "std::mt19937 lots{std::random_device{}()};\n", "draws lots"),
    ("src/daemons/planted.cpp", "std::thread t;\n", "starts threads"),
    ("src/api/planted.cpp", "int x;\n" * (MOST_LINES + 1), "one idea per file"),
]
# What looks like a breach and is none.
INNOCENT = ("src/tree/planted.cpp",
            '// steady_clock::now() is not read here\n'
            'const char* text = "Select a node; call usleep(3)";\n'
            '#include "net/net.hpp"\n')


def prove(rooms, source):
    failures = 0
    with tempfile.TemporaryDirectory() as temporary:
        copy = pathlib.Path(temporary)
        shutil.copytree(source / "src", copy / "src")
        clean = set(check(rooms, copy))
        first, text, _ = PLANTS[0]
        (copy / first).write_text(text)
        failures += len(set(check(rooms, copy)) - clean) != 1  # the walk finds it too
        (copy / first).unlink()
        for path, text, expected in PLANTS + [(*INNOCENT, None)]:
            planted = copy / path
            planted.write_text(text)
            found = [b for b in check_file(rooms, copy, planted) if b not in clean]
            planted.unlink()
            good = (not found) if expected is None else any(
                b.path == path and expected in b.text for b in found)
            failures += not good
            print(f"{'found' if good else 'MISSED'}: {expected or 'nothing, as it should be'}"
                  f" ({path}){'' if good else ' got: ' + '; '.join(map(str, found))}")
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", type=pathlib.Path, required=True)
    parser.add_argument("--rooms", type=pathlib.Path, required=True)
    parser.add_argument("--prove", action="store_true")
    options = parser.parse_args()
    rooms = read_rooms(options.rooms)
    if options.prove:
        return 1 if prove(rooms, options.source) else 0
    breaches = check(rooms, options.source)
    for breach in breaches:
        print(breach)
    print(f"{len(breaches)} breaches of the rules of the house in {len(rooms)} rooms")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
