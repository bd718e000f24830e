"""The set-up: `./run`, its lists, fonts and icons, and what the continuous check does.

Rule: the real scripts run, in a copy where they would change something. Only apt is stood in
for, by a script on PATH: these tests install nothing.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from fontTools.pens.recordingPen import RecordingPen
from fontTools.ttLib import TTCollection, TTFont

from provisioning.bootstrap.fonts import FAMILY, take_face
from ui import assets

ROOT = Path(__file__).resolve().parent.parent
LISTS = ROOT / "provisioning" / "bootstrap"
COLLECTION = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
SECOND_START_S_MAX = 2.0
USER = ("--reuid=65534", "--regid=65534", "--clear-groups") if os.geteuid() == 0 else ()
NOBODY = ("setpriv", *USER, "--no-new-privs")
"""As a user without rights, whoever runs the tests: sudo cannot work under this flag."""


@pytest.fixture
def no_network() -> tuple[str, ...]:
    """What to put in front of a command that shall have no network."""
    prefix = ("unshare", *(() if os.geteuid() == 0 else ("--user", "--map-root-user")), "--net")
    if subprocess.run([*prefix, "true"], capture_output=True).returncode != 0:
        pytest.skip("no right to a network namespace: run as root, or outside a chroot")
    return prefix


def run(
    *words: str, home: Path = ROOT, within: tuple[str, ...] = (), path: str = ""
) -> subprocess.CompletedProcess[str]:
    """./run of a project, with nobody at a keyboard who could type a password."""
    usual = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return subprocess.run(
        [*within, str(home / "run"), *words],
        env={"PATH": f"{path}:{usual}" if path else usual, "HOME": str(home)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def copy() -> Iterator[Path]:
    """The parts of the project that ./run reads, with one more package asked for.

    In a folder that any user may enter, which pytest's own is not.
    """
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield filled(Path(folder) / "project")


def filled(home: Path) -> Path:
    """What ./run reads, copied to home."""
    shutil.copytree(LISTS, home / "provisioning" / "bootstrap")
    shutil.copy(ROOT / "run", home)
    shutil.copy(ROOT / "setup.py", home)
    with (home / "provisioning" / "bootstrap" / "project.txt").open("a") as lines:
        lines.write("kiosk-no-such-package # asked for by a test\n")
    return home


def command(folder: Path, name: str, script: str) -> str:
    """A command of this name on PATH; returns the folder to put in front."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)
    return str(folder)


@pytest.mark.parametrize("words", [(), ("dance",)])
def test_no_word_or_an_unknown_one_shows_those_there_are(words: tuple[str, ...]) -> None:
    ended = run(*words)
    assert ended.returncode == 2
    assert all(
        f"./run {word} " in ended.stderr for word in ("demo", "test", "check", "bench", "drill")
    )
    assert ended.stdout == ""


def test_a_second_start_needs_no_network_and_no_two_seconds(no_network: tuple[str, ...]) -> None:
    """./run goes through all its steps; the program it would start is missing on purpose."""
    begun = time.monotonic()
    ended = run("bench", "no-such-benchmark", within=no_network)
    took_s = time.monotonic() - begun
    assert ended.stderr.startswith("run: there is no no-such-benchmark in tests/bench, but codes ")
    assert took_s <= SECOND_START_S_MAX


@pytest.mark.parametrize("word", ["demo", "test", "check", "bench", "drill"])
def test_without_the_right_to_install_one_line_says_what_to_do(copy: Path, word: str) -> None:
    ended = run(word, home=copy, within=NOBODY)
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert line.startswith("run: packages are missing and there is no right to add them: as root,")
    assert line.endswith("apt-get install kiosk-no-such-package")


def calls_of_python(home: Path) -> list[str]:
    """What ./run has asked of the .venv's Python since the last look, one call a line."""
    log = home / ".venv" / "bin" / "python.log"
    calls = log.read_text().splitlines() if log.exists() else []
    log.unlink(missing_ok=True)
    return [call.split(" --")[0] for call in calls]


def test_libraries_are_installed_again_only_when_setup_py_has_changed(copy: Path) -> None:
    shutil.copy(LISTS / "project.txt", copy / "provisioning" / "bootstrap")
    (copy / ".venv").mkdir()
    command(copy / ".venv" / "bin", "python", 'echo "$@" >>"$0.log"')
    install, fonts = "-m pip install", "-m provisioning.bootstrap.fonts"
    run("bench", "none", home=copy)
    first = calls_of_python(copy)
    assert [call.split(" /")[0] for call in first] == [install, fonts, fonts]
    run("bench", "none", home=copy)
    assert install not in calls_of_python(copy)
    with (copy / "setup.py").open("a") as lines:
        lines.write("# one more library\n")
    run("bench", "none", home=copy)
    assert install in calls_of_python(copy)


def test_an_installation_that_failed_is_done_again(copy: Path) -> None:
    shutil.copy(LISTS / "project.txt", copy / "provisioning" / "bootstrap")
    (copy / ".venv").mkdir()
    fails = 'echo "$@" >>"$0.log"; echo "ERROR: No matching distribution found for x"; exit 1'
    command(copy / ".venv" / "bin", "python", fails)
    for _ in range(2):
        ended = run("check", home=copy)
        assert calls_of_python(copy) == ["-m pip install"]
        announced, line = ended.stderr.splitlines()
        assert "into .venv, this once" in announced
        assert "pip could not install them (No matching distribution found for x)" in line


_BROKEN = "WARNING: Retrying (Retry(total=0)) after connection broken by"
_VERIFY = (
    "SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify"
)


@pytest.mark.parametrize(
    ("broken_by", "said", "advised"),
    [
        (
            f"{_VERIFY} failed: self-signed certificate in certificate chain (_ssl.c:992)'))",
            "certificate is not trusted: self-signed certificate in certificate chain",
            "PIP_CERT=",
        ),
        (
            f"{_VERIFY} failed: unable to get local issuer certificate (_ssl.c:992)'))",
            "certificate is not trusted: unable to get local issuer certificate",
            "PIP_CERT=",
        ),
        (
            f"{_VERIFY} failed: certificate is not yet valid (_ssl.c:992)'))",
            "certificate is not trusted: certificate is not yet valid",
            "the clock",
        ),
        (
            "SSLError(SSLError(1, '[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)'",
            "TLS with the package index fails: WRONG_VERSION_NUMBER",
            "HTTPS_PROXY",
        ),
        (
            "NewConnectionError('[Errno 101] Network is unreachable')",
            "cannot be reached",
            "network",
        ),
    ],
)
def test_why_the_package_index_is_not_heard_is_said_with_what_to_do(
    copy: Path, broken_by: str, said: str, advised: str
) -> None:
    """What pip 23.0.1 wrote before a server with such a certificate; the host is not repeated."""
    shutil.copy(LISTS / "project.txt", copy / "provisioning" / "bootstrap")
    (copy / ".venv").mkdir()
    (copy / "said").write_text(f"{_BROKEN} '{broken_by}': /simple/x/\nERROR: No matching x\n")
    command(copy / ".venv" / "bin", "python", f'cat "{copy}/said"; exit 1')
    ended = run("check", home=copy)
    assert ended.returncode == 1
    _, line = ended.stderr.splitlines()
    assert said in line
    assert advised in line


def test_what_apt_says_is_wrong_is_the_one_line_shown(copy: Path, tmp_path: Path) -> None:
    says = "echo 'Reading package lists...'; echo 'E: Unable to locate package x'; exit 100"
    path = command(tmp_path / "bin", "apt-get", says)
    command(tmp_path / "bin", "sudo", '[ "$1" != -n ] || shift; exec "$@"')
    ended = run("check", home=copy, path=path)
    assert ended.returncode == 1
    announced, line = ended.stderr.splitlines()
    assert announced == "run: installing Debian packages, this once: kiosk-no-such-package"
    assert line.startswith("run: apt could not install them (Unable to locate package x); whole ")


def test_a_system_without_debian_s_tools_is_told_so(copy: Path, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "dirname", "id"):
        (tools / name).symlink_to(shutil.which(name) or name)
    ended = subprocess.run(
        ["/bin/sh", str(copy / "run"), "test"],
        env={"PATH": str(tools)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("run: this is not a Debian: ")
    assert len(ended.stderr.splitlines()) == 1


def test_a_folder_of_another_user_is_named_with_that_user(copy: Path) -> None:
    lists = copy / "provisioning" / "bootstrap"
    shutil.copy(LISTS / "project.txt", lists)
    copy.chmod(0o555)
    ended = run("check", home=copy, within=NOBODY)
    copy.chmod(0o755)
    assert ended.returncode == 1, ended.stderr
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"run: {copy} must be written to and belongs to ")


SHELL = sorted([ROOT / "run", ROOT / ".ci" / "run", *ROOT.glob("provisioning/**/*.sh")])


@pytest.mark.parametrize("script", SHELL, ids=lambda path: str(path.relative_to(ROOT)))
def test_shell_scripts_are_clean(script: Path) -> None:
    ended = subprocess.run(["shellcheck", str(script)], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout


@pytest.mark.parametrize("file", sorted(LISTS.glob("*.txt")), ids=lambda path: path.stem)
def test_a_list_holds_one_debian_package_a_line_and_none_twice(file: Path) -> None:
    names = [line for line in file.read_text().splitlines() if line and line[0] != "#"]
    assert names
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9+.-]+", name) for name in names)
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("check", "tests", "verdict"), [(0, 0, 0), (1, 0, 1), (0, 1, 1), (1, 1, 1), (0, 5, 1)]
)
def test_the_continuous_check_is_red_when_either_part_is(
    tmp_path: Path, check: int, tests: int, verdict: int
) -> None:
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci")
    script = f'echo "$1 ran"; [ "$1" = check ] && exit {check}; exit {tests}'
    command(tmp_path, "run", script)
    ended = subprocess.run(
        ["bash", str(tmp_path / ".ci" / "run")], capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == verdict
    assert ended.stdout == "check ran\ntest ran\n"


# --- dependencies --------------------------------------------------------------------------------


def pinned() -> set[str]:
    """Names of the distributions that setup.py installs for the product."""
    tree = ast.parse((ROOT / "setup.py").read_text())
    lists = [node.value for node in tree.body if isinstance(node, ast.Assign)][:2]
    lines = [str(ast.literal_eval(item)) for each in lists for item in each.elts]  # type: ignore[attr-defined]
    assert all(re.fullmatch(r"[\w\[\]-]+==[\d.]+", line) for line in lines), lines
    return {normal(re.split(r"[=\[]", line)[0]) for line in lines}


def test_every_file_that_the_packages_read_is_installed_with_them() -> None:
    """./run installs in place and would never notice; a terminal's installation would."""
    tree = ast.parse((ROOT / "setup.py").read_text())
    patterns = {
        node.targets[0].id: node.value  # type: ignore[attr-defined]
        for node in tree.body
        if isinstance(node, ast.Assign)
    }["DATA"]
    suffixes = {pattern.lstrip("*") for pattern in ast.literal_eval(patterns)} | {".py", ".md"}
    for package in ("drivers", "gateway", "kiosk", "offline", "provisioning", "ui"):
        for path in (ROOT / package).rglob("*.*"):
            if path.is_file() and path.suffix != ".pyc":
                assert path.suffix in suffixes, f"{path.relative_to(ROOT)}: not in setup.py's DATA"


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def foreign_imports() -> Iterator[tuple[str, Path]]:
    """Every top-level module that the product imports and that is neither ours nor Python's."""
    ours = ("drivers", "gateway", "kiosk", "offline", "provisioning", "ui", "tests")
    for package in ours[:-1]:
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                if isinstance(node, ast.ImportFrom) and not node.level:
                    names = [node.module or ""]
                for name in (each.split(".")[0] for each in names):
                    if name not in sys.stdlib_module_names and name not in ours:
                        yield name, path


def test_every_library_the_product_imports_is_pinned_in_setup_py() -> None:
    installed, wanted = packages_distributions(), pinned()
    for name, path in foreign_imports():
        makers = {normal(maker) for maker in installed.get(name, [])}
        assert makers & wanted, f"{path.relative_to(ROOT)} imports {name}: not in setup.py"


# --- fonts and icons -----------------------------------------------------------------------------


def outline(font: TTFont, character: str) -> object:
    """The drawing of one character."""
    pen = RecordingPen()
    glyphs = font.getGlyphSet()
    glyphs[font.getBestCmap()[ord(character)]].draw(pen)
    return pen.value


@pytest.mark.parametrize("face", ["NotoSansSC-Regular", "NotoSansSC-Bold"])
def test_the_prepared_fonts_are_the_simplified_chinese_faces(face: assets.Face) -> None:
    font = TTFont(assets.font(face), lazy=True)
    assert font["name"].getDebugName(1) == FAMILY
    assert font["OS/2"].usWeightClass == (700 if face.endswith("Bold") else 400)


def test_hanzi_have_their_simplified_chinese_form() -> None:
    """The collection's first face, which Kivy would open by itself, draws them as in Japan."""
    collection = TTCollection(str(COLLECTION), lazy=True)
    japanese, ours = collection.fonts[0], TTFont(assets.font("NotoSansSC-Regular"), lazy=True)
    chinese = next(f for f in collection.fonts if f["name"].getDebugName(1) == FAMILY)
    for character in "骨直令":
        assert outline(ours, character) == outline(chinese, character)
        assert outline(ours, character) != outline(japanese, character)


def test_a_collection_without_the_face_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    collection = TTCollection()
    collection.fonts = [TTFont(assets.font("icons"))]
    collection.save(str(tmp_path / "icons.ttc"))
    with pytest.raises(ValueError, match="has no face Noto Sans CJK SC"):
        take_face(tmp_path / "icons.ttc", tmp_path / "fonts" / "a.otf")
    assert [path.name for path in tmp_path.iterdir()] == ["icons.ttc"]


def test_a_font_that_was_not_prepared_says_how_to_prepare_it() -> None:
    script = "import sys; sys.prefix = '/nowhere'; from ui import assets; assets.font('{}')"
    ended = subprocess.run(
        [sys.executable, "-c", script.format("NotoSansSC-Bold")],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
    )
    assert ended.stderr.splitlines()[-1].endswith(
        "/NotoSansSC-Bold.otf is missing: start with ./run, which prepares it"
    )


@pytest.mark.parametrize("name", ["credit-card-outline", "printer", "account-heart", "qrcode-scan"])
def test_an_icon_is_one_character_that_the_icon_font_draws(name: str) -> None:
    character = assets.icon(name)
    assert len(character) == 1
    assert ord(character) in TTFont(assets.font("icons"), lazy=True).getBestCmap()


@pytest.mark.parametrize("name", ["no-such-icon", "", "_class_", "__doc__", "__font_file__"])
def test_an_unknown_icon_is_named(name: str) -> None:
    with pytest.raises(assets.AssetMissing, match="has no icon named"):
        assets.icon(name)
