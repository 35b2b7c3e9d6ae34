"""Steps a second of training and of attacking: Assay's built-in trainer and PGD against PyTorch on the CPU.

    npm run build && python3 bench/training/steps.py [--batch 250] [--rounds 5]

The same net (the strided CNN of mnist.mjs, untrained) and the same batch on both sides. A training step is forward,
backward and Adam; an attack step is PGD's: forward, gradient by the input, sign, projection. All take turns of --steps
steps in one run, and the best turn of each counts, so that other work on the machine tells less. Assay runs a net in one
thread; two of its workers are two processes with a batch each. Packages are those of bench/evasion/requirements.txt.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "evasion"))
import referee  # noqa: E402


class Assay:
    def __init__(self, file, batch):
        command = ["node", str(HERE / "steps.mjs"), file, str(batch)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.process.stdout.readline()

    def begin(self, what, count):
        self.process.stdin.write(f"{what} {count}\n")
        self.process.stdin.flush()

    def end(self):
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def workers_take(workers, what):
    def turn(count):
        began = time.perf_counter()
        for worker in workers:
            worker.begin(what, count)
        spent = sum(worker.end()["cpuSeconds"] for worker in workers)
        return time.perf_counter() - began, spent, len(workers)

    return turn


def torch_takes(net, threads, batch, what):
    import torch

    inputs, labels = torch.rand(batch, 1, 28, 28), torch.arange(batch) % 10
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)

    def train():
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(net(inputs), labels).backward()
        optimizer.step()

    points = inputs.clone()

    def attack():
        points.requires_grad_(True)
        loss = torch.nn.functional.cross_entropy(net(points), labels, reduction="sum")
        (gradient,) = torch.autograd.grad(loss, [points])
        with torch.no_grad():
            moved = points + 1e-5 * gradient.sign()
            points.data = torch.max(torch.min(moved, inputs + 1e-4), inputs - 1e-4).clamp(0, 1)

    def turn(count):
        torch.set_num_threads(threads)
        for parameter in net.parameters():
            parameter.requires_grad_(what == "train")
        began = time.perf_counter(), time.process_time()
        for _ in range(count):
            train() if what == "train" else attack()
        return time.perf_counter() - began[0], time.process_time() - began[1], 1

    return turn


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=250)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = [f"{folder}/{i}.onnx" for i in range(2)]
        workers = [Assay(file, options.batch) for file in files]
        print("| step | who | threads | steps a second | steps a processor second |\n|---|---|---|---|---|")
        for what in ("train", "attack"):
            turns = {
                "Assay | 1": workers_take(workers[:1], what),
                "PyTorch | 1": torch_takes(referee.torch_net(files[0]), 1, options.batch, what),
                "Assay | 2 workers": workers_take(workers, what),
                "PyTorch | 2": torch_takes(referee.torch_net(files[0]), 2, options.batch, what),
            }
            best = dict.fromkeys(turns, (float("inf"), float("inf")))
            for _ in range(options.rounds + 1):
                for name, turn in turns.items():
                    seconds, spent, sides = turn(options.steps)
                    each = seconds / (sides * options.steps), spent / (sides * options.steps)
                    best[name] = tuple(map(min, best[name], each))
            for name, (seconds, spent) in best.items():
                print(f"| {what} | {name} | {1 / seconds:.1f} | {1 / spent:.1f} |", flush=True)
        for worker in workers:
            worker.close()


if __name__ == "__main__":
    # Threads that wait by spinning lose everything on a machine that is not idle.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    referee.in_own_environment()
    main()
