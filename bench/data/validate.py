"""Rows a second and peak memory of ten checks: python3 validate.py [ROWS]

Makes the rows, runs every tool on the same files in one run, each in a process of its own, and prints a table. Time is that of the
whole process, start and reading included; memory is the largest resident set that the system saw.
"""
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import venv

here = pathlib.Path(__file__).parent
root = here.parent.parent
rows = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000_000
python = os.environ.get("BENCH_PYTHON")
if python is None:
    python = str(here / ".venv/bin/python")
    if not os.path.exists(python):
        venv.create(here / ".venv", with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "-r", str(here / "requirements.txt")], check=True)


def measure(command, folder):
    started = time.perf_counter()
    # wait4 tells of this one child; RUSAGE_CHILDREN would keep the largest of all.
    child = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    output = child.stdout.read()
    errors = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - started
    if status != 0:
        print((output + errors).decode()[-2000:], file=sys.stderr)
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, status == 0


with tempfile.TemporaryDirectory() as folder:
    subprocess.run([python, str(here / "generate.py"), str(rows), folder], check=True)
    sizes = {name: os.path.getsize(f"{folder}/{name}") / 2**20 for name in ("orders.parquet", "orders.csv")}
    print(f"{rows} rows, {sizes['orders.parquet']:.0f} MiB Parquet, {sizes['orders.csv']:.0f} MiB CSV")
    print("| file | tool | seconds | processor seconds | rows/s | peak MiB |\n|---|---|---|---|---|---|")
    for file in ("orders.parquet", "orders.csv"):
        cli = ["node", str(root / "dist/cli/main.js"), "data", "check", str(here / "orders.yaml"), "--data", f"{folder}/{file}"]
        tools = {
            "bare DuckDB scan, one thread": [python, str(here / "others.py"), "scan", file],
            "`assay data check`": cli,
            "pandera (polars)": [python, str(here / "others.py"), "pandera_polars", file],
            "pandera (pandas)": [python, str(here / "others.py"), "pandera_pandas", file],
            "Great Expectations (pandas)": [python, str(here / "others.py"), "great_expectations", file],
        }
        for name, command in tools.items():
            seconds, busy, peak, passed = measure(command, folder)
            result = f"{rows / seconds:,.0f}" if passed else "failed"
            print(f"| {file[7:]} | {name} | {seconds:.1f} | {busy:.1f} | {result} | {peak:,.0f} |", flush=True)
