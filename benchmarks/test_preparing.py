"""Links prepared on disk beside the same in memory, small: the script works, the networks agree."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))  # benchmarks are no package
from preparing import measured


@pytest.mark.slow
def test_prepared_links_are_those_in_memory(capsys):
    prepared, beside = measured(2_000, 300, "100MB", beside=True)
    assert prepared[:2] == beside[:2]  # links and fingerprint
    assert "prepared" in capsys.readouterr().out
