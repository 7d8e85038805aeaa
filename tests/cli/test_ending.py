"""How the process ends: at once when a signal asks for it, and always with its own exit code."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

RUN = "from splineviz_cli.main import main; main()"

AT_WORK = {
    "a wait": "time.sleep(60)",
    "a product in torch": "matrix = torch.rand(6000, 6000, dtype=torch.float64); matrix @ matrix @ matrix",
    "a kernel": "spin()",
    "what swallows an interrupt": """
        while True:
            try:
                time.sleep(60)
            except BaseException:
                pass""",
    "worker processes": """
        shield_workers()
        joblib.Parallel(2)(joblib.delayed(time.sleep)(60) for _ in range(2))""",
    "another program": "subprocess.run(['sleep', '60'])",
    "a half written file": """
        with atomic_path("x.npz") as temporary:
            temporary.write_text("half")
            time.sleep(60)""",
}
FACTORY = """
    import multiprocessing, subprocess, time
    from pathlib import Path
    import joblib, numba, torch
    from splineviz.files import atomic_path
    from splineviz_cli.interrupts import shield_workers

    @numba.njit(nogil=True)
    def spin():
        total = 0.0
        for i in range(60_000_000_000):
            total += i ** 0.5
        return total

    def slow():
        Path("begun").touch()
"""


def _heed_interrupts() -> None:
    """A process that ignores interrupts, as one in a script's background does, hands that on."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


ENDINGS = {
    signal.SIGINT: (130, "interrupted; no file was left half written", tuple(AT_WORK)),
    signal.SIGTERM: (143, "ended by SIGTERM", ("a kernel", "worker processes", "a half written file")),
    signal.SIGHUP: (129, "ended by SIGHUP", ("a half written file",)),
}


def _begun(work: str, folder: Path) -> subprocess.Popen[str]:
    """A command whose factory is at work."""
    factory = textwrap.dedent(FACTORY) + textwrap.indent(textwrap.dedent(work).strip(), "    ")
    (folder / "nets.py").write_text(factory + "\n", encoding="utf-8")
    command = [sys.executable, "-c", RUN, "slice", "nets:slow", "--box", "0,1,0,1", "-o", "x.png"]
    began = subprocess.Popen(
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=_heed_interrupts,  # noqa: PLW1509 this process has no other threads
    )
    while not (folder / "begun").exists():
        assert began.poll() is None, began.communicate()
        time.sleep(0.05)
    return began


@pytest.mark.parametrize(
    ("asked", "work"), [(one, work) for one, (_, _, works) in ENDINGS.items() for work in works]
)
def test_a_signal_ends_whatever_is_under_way(asked: signal.Signals, work: str, tmp_path: Path) -> None:
    began = _begun(AT_WORK[work], tmp_path)
    time.sleep(1.0)
    pressed = time.monotonic()
    if asked == signal.SIGINT:
        os.killpg(began.pid, asked)  # as a terminal does: to all processes of the job
    else:
        began.send_signal(asked)
    out, err = began.communicate(timeout=30)  # also waits for other processes, which hold stderr
    assert time.monotonic() - pressed < 2
    code, said, _ = ENDINGS[asked]
    assert (began.returncode, out) == (code, "")
    assert err.splitlines()[-1] == said
    assert "Traceback" not in err
    assert not list(tmp_path.glob("*x*"))


def test_processes_of_a_factory_end_as_any_and_what_nohup_ignores_is_ignored(tmp_path: Path) -> None:
    work = """
        with multiprocessing.get_context("fork").Pool(2) as pool:
            assert pool.map(abs, [-1, -2]) == [1, 2]
        signal.raise_signal(signal.SIGHUP)
        time.sleep(0.3)
        return torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU(), torch.nn.Linear(3, 1))
    """
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # which the command inherits
    try:
        began = _begun(f"import signal\n{textwrap.dedent(work).strip()}", tmp_path)
    finally:
        signal.signal(signal.SIGHUP, before)
    _, err = began.communicate(timeout=120)
    assert began.returncode == 0, err
    assert (tmp_path / "x.png").exists()


def test_worker_processes_run_nothing_of_the_current_folder(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    for name in ("numpy", "joblib", "torch", "random", "signal", "threading", "warnings", "pickle", "shutil"):
        (tmp_path / "here" / f"{name}.py").write_text(f"open('run-{name}', 'w')\n", encoding="utf-8")
    code = """
        import joblib
        from splineviz_cli.interrupts import end_on_signals, shield_workers
        if __name__ == "__main__":
            end_on_signals()
            shield_workers()
            print(joblib.Parallel(2)(joblib.delayed(abs)(-i) for i in range(4)))
    """
    (tmp_path / "run.py").write_text(textwrap.dedent(code), encoding="utf-8")
    command = [sys.executable, str(tmp_path / "run.py")]
    done = subprocess.run(command, cwd=tmp_path / "here", capture_output=True, text=True, check=False)
    assert done.stdout == "[0, 1, 2, 3]\n", done.stderr
    assert not list((tmp_path / "here").glob("run-*"))


def test_threads_that_are_within_torch_do_not_change_the_exit_code() -> None:
    code = """
    import threading, torch
    from splineviz_cli import commands, main

    def work():
        matrix = torch.rand(1000, 1000)
        while True:
            torch.linalg.svd(matrix)

    def run():
        for _ in range(3):
            threading.Thread(target=work, daemon=True).start()
        threading.Event().wait(1)
        print("said")
        return 4

    commands.run = run
    main.main()
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (4, "said\n", "")


def test_a_terminal_without_a_letter_is_shown_its_code(tmp_path: Path) -> None:
    (tmp_path / "größe.py").write_text("import torch\ndef net():\n    return torch.nn.Linear(2, 1)\n")
    how = {**os.environ, "PYTHONIOENCODING": "ascii:strict", "LC_ALL": "C"}
    command = [sys.executable, "-c", RUN, "inspect", "größe:net"]
    done = subprocess.run(command, cwd=tmp_path, env=how, capture_output=True, check=True)
    for words in (done.stdout, done.stderr):
        assert rb"gr\xf6\xdfe:net" in words and words.isascii()


def _closed_pipe() -> int:
    reading, writing = os.pipe()
    os.close(reading)
    return writing


def test_whoever_reads_may_stop(tmp_path: Path) -> None:
    """The rest of what is said is lost, and what is written is not."""
    command = [sys.executable, "-c", RUN, "slice", "demo", "--max-cells", "9", "-o", "a.geojson"]
    gone = _closed_pipe()
    done = subprocess.run(command, check=False, cwd=tmp_path, stdout=gone, stderr=gone)
    os.close(gone)
    assert done.returncode == 5 and (tmp_path / "a.geojson").is_file()


@pytest.mark.parametrize("output", ["gone", "closed"])
def test_nobody_complains_of_a_lost_output(output: str) -> None:
    command = [sys.executable, "-c", RUN, "inspect", "demo"]
    shell = ["sh", "-c", '"$@" >&-', "sh", *command]
    gone = _closed_pipe()
    done = subprocess.run(
        command if output == "gone" else shell, check=False, stdout=gone, stderr=subprocess.PIPE
    )
    os.close(gone)
    assert (done.returncode, done.stderr) == (0, b"")
