"""Where the threads of a process are, for the message of a test that waits for it in vain."""

import os
import re
import shutil
import subprocess

from timing import seconds

# Signals that wait for the thread or the process, are held, and have a handler.
MASKS = re.compile(r"^(State|SigPnd|ShdPnd|SigBlk|SigCgt):\s+(.*)$", re.M)


def read(path):
    try:
        with open(path, errors="replace") as file:
            return file.read().strip()
    except OSError as error:  # it ended, or only root may read it
        return f"({error.strerror})"


def of_thread(folder):
    name, wchan, call = (read(f"{folder}/{file}") for file in ("comm", "wchan", "syscall"))
    masks = " ".join("=".join(pair) for pair in MASKS.findall(read(folder + "/status")))
    return [f"thread {os.path.basename(folder)} {name}, in {wchan}, system call {call}",
            f"    {masks}"]


def backtraces(pid):
    """By gdb; empty without it."""
    if shutil.which("gdb") is None:
        return ""
    command = ["gdb", "-p", str(pid), "-batch", "-nx", "-ex", "thread apply all backtrace"]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=seconds(15), errors="replace")
    except subprocess.TimeoutExpired:
        return "gdb did not end\n"
    return done.stdout


def threads_of(pid):
    """A text of several lines, the main thread last; also where the process has ended."""
    folder = f"/proc/{pid}/task"
    try:
        threads = sorted(os.listdir(folder), key=int, reverse=True)
    except OSError as error:
        return f"process {pid}: {error.strerror}\n"
    lines = [line for thread in threads for line in of_thread(f"{folder}/{thread}")]
    return "\n".join(lines) + "\n" + backtraces(pid)
