# SPDX-License-Identifier: Apache-2.0
"""The example runs, and draws something."""
import re
import subprocess
import sys

from conftest import ROOT
from matplotlib import image

EXAMPLE = ROOT / "examples/python/plot_hour.py"


def test_the_example_draws_the_temperature_of_a_furnace(tmp_path, furnace):
    picture = tmp_path / "hour.png"
    command = [sys.executable, EXAMPLE, tmp_path / "works", "127.0.0.1", furnace, picture, "5"]

    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0, done.stderr
    assert 3 <= int(re.match(r"(\d+) seconds with values", done.stdout)[1]) <= 7
    pixels = image.imread(picture)[:, :, :3]
    blue = (pixels[:, :, 2] > 0.6) & (pixels[:, :, 0] < 0.4)
    assert pixels.shape == (400, 900, 3)
    assert blue.sum() > 300, "no line was drawn"
    assert blue.any(axis=0).sum() > 450, "the line does not cross the picture"


def test_the_example_tells_what_is_wrong(tmp_path):
    (tmp_path / "plane").mkdir(mode=0o777)
    (tmp_path / "plane").chmod(0o777)

    done = subprocess.run([sys.executable, EXAMPLE, tmp_path, "127.0.0.1", "1", tmp_path / "x.png", "1"],
                          capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 1 and done.stderr.startswith("core.unsafe_file: ")


def test_the_readme_shows_the_example_itself():
    readme = (ROOT / "bindings/python/README.md").read_text()
    regions = dict(re.findall(r"^# \[(\w+)\]\n(.*?)^# \[\1\]", EXAMPLE.read_text(), re.M | re.S))

    assert set(regions) == {"open", "enroll", "plot"}
    for name in ("open", "enroll", "plot"):
        assert regions[name] in readme, f"the region {name} of {EXAMPLE.name} is not in the README"


def test_the_program_in_the_readme_runs(tmp_path):
    program = re.search(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(), re.M | re.S)[1]
    folder = "/tmp/ecp-from-python"
    assert folder in program

    done = subprocess.run([sys.executable, "-c", program.replace(folder, str(tmp_path / "plane"))],
                          capture_output=True, text=True, timeout=60, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "0 edge nodes\ncore.name_taken {'noun': 'project', 'field': 'name'}\n"
