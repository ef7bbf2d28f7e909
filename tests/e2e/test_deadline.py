"""A test that waits for ever fails, says for what, and does not keep the others waiting."""

import os
import subprocess
import sys
import unittest

from harness import seconds

HERE = os.path.dirname(os.path.abspath(__file__))

HANGS = """
import importlib.machinery, importlib.util, sys, threading, unittest
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1] + "/lib")
import deadline
deadline.CLEANING = 0.2
loader = importlib.machinery.SourceFileLoader("run", sys.argv[1] + "/run")
run = importlib.util.module_from_spec(importlib.util.spec_from_loader("run", loader))
loader.exec_module(run)

def wait_in_a_thread():
    threading.Event().wait()

class Hangs(unittest.TestCase):
    DEADLINE = 0.2

    def test_1_that_waits(self):
        thread = threading.Thread(target=wait_in_a_thread, daemon=True)
        thread.start()
        try:
            thread.join()
        finally:
            print("cleaned", flush=True)

    def test_2_whose_cleaning_waits(self):
        self.addCleanup(threading.Event().wait)

    def test_3_that_does_not(self):
        pass

class Patient(unittest.TestCase):
    DEADLINE = 3600

    def test_4_with_more_time(self):
        self.assertEqual(deadline.allowed(self), 3600 * deadline.seconds(1))

unittest.main(argv=["hangs"], testRunner=unittest.TextTestRunner(resultclass=run.Result,
                                                                 verbosity=2))
"""


class Deadlines(unittest.TestCase):
    def test_what_waits_for_ever(self):
        done = subprocess.run([sys.executable, "-c", HANGS, HERE], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=seconds(60), check=False)
        said = done.stderr.decode()
        self.assertEqual(done.returncode, 1, said)
        self.assertEqual(done.stdout, b"cleaned\n")
        self.assertIn("Hangs.test_1_that_waits was not over after", said)
        self.assertIn("in wait_in_a_thread", said)
        self.assertIn("in test_1_that_waits", said)
        self.assertIn("Overdue: not over after", said)
        self.assertIn("Hangs.test_2_whose_cleaning_waits was not over after", said)
        self.assertRegex(said, r"test_3_that_does_not.* ok")
        self.assertRegex(said, r"test_4_with_more_time.* ok")
        self.assertRegex(said, r"Ran 4 tests")
        self.assertIn("FAILED (failures=2)", said)


if __name__ == "__main__":
    unittest.main()
