"""What the process gives up: core files, privileges, being looked into."""

import os
import resource
import signal
import subprocess
import tempfile
import unittest

from harness import SANITIZER, Case, SharedCase, wait_for

PLENTY = resource.RLIM_INFINITY


def status(daemon):
    with open(f"/proc/{daemon.pid}/status") as file:
        return dict(line.rstrip("\n").split(":", 1) for line in file)


def may_leave_cores(folder):
    """For a process that is about to be: works there, and may leave a core file."""
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]

    def prepare():
        resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
        os.chdir(folder)
    return prepare


def cores(folder):
    return [name for name in os.listdir(folder) if name.startswith("core")]


def why_no_cores():
    """Why a process that is killed leaves no core file here; None if it does."""
    with open("/proc/sys/kernel/core_pattern") as file:
        pattern = file.read().strip()
    if not pattern.startswith("core"):
        return f"core files go to {pattern}"
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["/bin/sh", "-c", "kill -SEGV $$"], preexec_fn=may_leave_cores(folder))
        return None if cores(folder) else "no process leaves a core file here"


class Process(SharedCase):
    def test_no_new_privileges_in_any_thread(self):
        for task in os.listdir(f"/proc/{self.daemon.pid}/task"):
            with open(f"/proc/{self.daemon.pid}/task/{task}/status") as file:
                self.assertIn("NoNewPrivs:\t1\n", file.read())

    def test_the_limit_of_core_files(self):
        self.assertEqual(resource.prlimit(self.daemon.pid, resource.RLIMIT_CORE), (0, 0))
        with open(f"/proc/{self.daemon.pid}/limits") as file:
            line = next(line for line in file if line.startswith("Max core file size"))
        self.assertEqual(line.split()[4:6], ["0", "0"])


class Neighbour(Case):
    """Another process of the daemon's own user."""

    def may_look(self, pid):
        """Whether it can read what that process was given: its environment, beside its memory."""
        options = {"user": "nobody", "group": os.getgid(), "extra_groups": []}
        return subprocess.run(["cat", f"/proc/{pid}/environ"], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL,
                              **(options if os.geteuid() == 0 else {})).returncode == 0

    def test_it_cannot_look_into_the_daemon(self):
        daemon = self.start('user = "nobody";' if os.geteuid() == 0 else "")
        options = {"user": "nobody"} if os.geteuid() == 0 else {}
        with subprocess.Popen(["cat"], stdin=subprocess.PIPE, **options) as other:
            wait_for(lambda: self.may_look(other.pid), what="some other process to be looked into")
            self.assertFalse(self.may_look(daemon.pid))


class Killed(Case):
    """By SIGSEGV, where a core file would be left."""

    def setUp(self):
        reason = "a sanitizer takes SIGSEGV" if SANITIZER else why_no_cores()
        if reason:
            self.skipTest(reason)

    def crash(self, conf=""):
        """The core files that are left."""
        daemon = self.start(conf, run=False)
        folder = daemon.path("cores")
        os.mkdir(folder)
        os.chmod(folder, 0o777)
        daemon.before_exec = may_leave_cores(folder)
        daemon.start()
        with daemon.connect() as client:
            self.assertEqual(client.put("n", "k", "v"), "STORED")
        daemon.send_signal(signal.SIGSEGV)
        self.assertEqual(daemon.wait_exit(), -signal.SIGSEGV)
        daemon.process = None  # it ended as it should
        return cores(folder)

    def test_no_core_file(self):
        self.assertEqual(self.crash(), [])

    def test_a_core_file_for_who_wants_one(self):
        self.assertEqual(len(self.crash("core_dumps = true;")), 1)

    @unittest.skipIf(os.geteuid() != 0, "only root can become another user")
    def test_a_core_file_of_another_user_s(self):
        self.assertEqual(len(self.crash('core_dumps = true; user = "nobody";')), 1)


class Limit(Case):
    def test_left_as_it_was_for_who_wants_core_files(self):
        wanted = (0, resource.getrlimit(resource.RLIMIT_CORE)[1])
        daemon = self.start("core_dumps = true;", before_exec=lambda: resource.setrlimit(
            resource.RLIMIT_CORE, wanted))
        self.assertEqual(resource.prlimit(daemon.pid, resource.RLIMIT_CORE), wanted)
        self.assertEqual(status(daemon)["NoNewPrivs"].strip(), "1")


if __name__ == "__main__":
    unittest.main()
