"""`make faults`, whole: nothing is lost, nothing goes twice, and the site is soon well again."""

import subprocess
import sys

import pytest


@pytest.mark.deep
def test_no_fault_loses_anything():
    done = subprocess.run([sys.executable, "-m", "tests.faults"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    assert done.stdout.count("\n|") >= 11
