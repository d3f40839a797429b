"""House rules that no tool of ours knows: purity, time, size of files, nothing of one machine in the repository."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CODE = ("services", "shared", "deploy", "tests")
MAXIMUM_LINES = 350

NON_DETERMINISTIC_MODULES = {"random", "secrets", "time"}
NON_DETERMINISTIC_NAMES = {
    *("now", "today", "utcnow"),
    *("urandom", "uuid1", "uuid4", "uuid6", "uuid7", "getrandbits"),
    *("new_id", "SystemClock"),
}
CLOCK_READINGS = {"datetime.now", "datetime.today", "datetime.utcnow", "date.today", "time.time", "time.time_ns"}

REGISTRIES = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmmirror", "com"),
        ("maven", "org"),
        ("maven", "apache", "org"),
        ("maven", "aliyun", "com"),
        ("golang", "org"),
        ("tuna", "tsinghua", "edu", "cn"),
    )
]
MACHINE_PATH = re.compile(r"(?<![\w.$}-])/(home|Users|root|work)/\w")


def modules(*patterns: str) -> list[Path]:
    """Every Python file that matches one of the patterns, relative to the root."""
    return sorted(path for pattern in patterns for path in ROOT.glob(pattern) if path.suffix == ".py")


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=relative(path))


def imports(tree: ast.Module) -> Iterator[tuple[int, str, str]]:
    """Line, module and name of each import; the name of `import x` is empty."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, node.module or "", alias.name) for alias in node.names)


def calls(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and dotted name of each call."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield node.lineno, ast.unparse(node.func)


def impurities(tree: ast.Module) -> list[tuple[int, str]]:
    """Line and name of everything whose result differs from call to call: clocks, randomness, new identifiers."""
    imported = [
        (line, f"{module}.{name}".rstrip("."))
        for line, module, name in imports(tree)
        if module.split(".")[0] in NON_DETERMINISTIC_MODULES or name in NON_DETERMINISTIC_NAMES
    ]
    called = [(line, name) for line, name in calls(tree) if name.split(".")[-1] in NON_DETERMINISTIC_NAMES]
    return imported + called


def foreign_imports(tree: ast.Module, allowed: tuple[str, ...]) -> list[tuple[int, str]]:
    """Line and module of each import that is neither of the standard library nor below an allowed package."""
    return [
        (line, module)
        for line, module, _ in imports(tree)
        if module.split(".")[0] not in sys.stdlib_module_names
        and not any(module == package or module.startswith(f"{package}.") for package in allowed)
    ]


def report(path: Path, findings: list[tuple[int, str]]) -> list[str]:
    return [f"{relative(path)}:{line}: {name}" for line, name in findings]


PURE = modules("services/*/domain/**/*.py", "services/*/policies.py", "services/*/policies/**/*.py")
DEADLINES = modules("shared/deadlines/**/*.py")
CONTRACTS = modules("shared/contracts/**/*.py")


def test_deciders_policies_and_contracts_never_ask_for_time_or_chance() -> None:
    """I-18: time, identifiers and chance arrive as arguments."""
    assert [line for path in PURE + CONTRACTS + DEADLINES for line in report(path, impurities(parse(path)))] == []


def test_only_the_kernel_and_the_ledger_read_a_clock() -> None:
    """I-18: whoever else needs the time takes a `Clock`."""
    known = modules("shared/kernel/**/*.py", "shared/ledger/**/*.py")
    found = [
        line
        for path in modules("services/**/*.py", "shared/**/*.py")
        if path not in known
        for line in report(path, [(line, name) for line, name in calls(parse(path)) if name in CLOCK_READINGS])
    ]
    assert found == []


def test_the_kernel_imports_the_standard_library_alone() -> None:
    found = [
        line
        for path in modules("shared/kernel/**/*.py")
        for line in report(path, foreign_imports(parse(path), ("shared.kernel",)))
    ]
    assert found == []


def test_deciders_and_policies_import_only_pure_libraries() -> None:
    found = []
    for path in PURE:
        own = ".".join(path.relative_to(ROOT).parts[:2])
        allowed = ("shared.kernel", "shared.contracts", "shared.deadlines", f"{own}.domain", "msgspec", "shapely")
        found += report(path, foreign_imports(parse(path), allowed))
    assert found == []


def test_deadlines_import_contracts_and_kernel_alone() -> None:
    allowed = ("shared.deadlines", "shared.contracts", "shared.kernel", "msgspec")
    assert [line for path in DEADLINES for line in report(path, foreign_imports(parse(path), allowed))] == []


@pytest.mark.parametrize(
    "code",
    [
        "from datetime import datetime\ndatetime.now()",
        "import datetime\ndatetime.datetime.utcnow()",
        "from datetime import date\ndate.today()",
        "import time\ntime.time()",
        "from time import monotonic",
        "from uuid import uuid4",
        "import uuid\nuuid.uuid1()",
        "import os\nos.urandom(8)",
        "import random",
        "from shared.kernel.identifiers import new_id",
        "def decide(clock):\n    return clock.now()",
    ],
)
def test_the_check_for_purity_finds(code: str) -> None:
    assert impurities(ast.parse(code)) != []


def test_the_check_for_purity_lets_arguments_pass() -> None:
    code = "from datetime import datetime, time, timedelta\ndef due(now: datetime) -> datetime:\n    return now\n"
    assert impurities(ast.parse(code)) == []


def test_every_module_says_what_it_guarantees() -> None:
    """An empty file (a package that only groups) may stay empty."""
    trees = {relative(path): parse(path) for folder in CODE for path in modules(f"{folder}/**/*.py")}
    assert [path for path, tree in trees.items() if tree.body and not ast.get_docstring(tree)] == []


def test_no_file_is_too_long_to_read() -> None:
    lengths = {
        relative(path): len(path.read_text(encoding="utf-8").splitlines())
        for folder in CODE
        for path in modules(f"{folder}/**/*.py")
    }
    assert {path: lines for path, lines in lengths.items() if lines > MAXIMUM_LINES} == {}


def tracked_texts() -> Iterator[tuple[str, str]]:
    """Path and content of every text file that git knows."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True)
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if path.is_file() and b"\0" not in (content := path.read_bytes()):
            yield name, content.decode("utf-8", errors="replace")


def test_no_file_names_a_package_registry() -> None:
    """Where packages come from is the machine's own setting."""
    assert [(name, host) for name, text in tracked_texts() for host in REGISTRIES if host in text] == []


def test_no_file_names_a_path_of_one_machine() -> None:
    found = {name: match.group() for name, text in tracked_texts() if (match := MACHINE_PATH.search(text))}
    assert found == {}


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_file_holds_packages_and_hashes_only(lock: str) -> None:
    lines = (ROOT / lock).read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if "://" in line or line.startswith("-")] == []
