"""Attacks one net with Assay, with pyautoattack and with ART, and compares them sample by sample.

    npm run build && python3 bench/evasion/referee.py MODEL.onnx [--epsilons 0.1 0.2 0.3] [--samples 500]

MODEL.onnx is a net of bench/training/mnist.mjs. All three attack the same test digits, with equal numbers of
iterations and one thread, in one run, one after the other. Writes a table to standard output, and JSON with --json FILE.
Seconds are processor time of all threads, which a busy machine leaves alone; the JSON has those of the clock, too.
The packages of requirements.txt are installed into bench/evasion/.venv on the first run (several GB: PyPI's PyTorch).

- suite: APGD-CE, targeted APGD towards 9 classes (--iterations each), Square (--queries), survivors only, as AutoAttack
  runs them; with --fab targeted FAB before Square, as the standard AutoAttack has it. Runs of both sides with another
  seed say how much either agrees with itself.
- pgd: 40 steps of 2.5 eps / 40 from 3 random starts, against ART's PGD.
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
VENV = HERE / ".venv"


def in_own_environment():
    """Starts again inside the pinned environment, made on demand."""
    if pathlib.Path(sys.prefix).resolve() == VENV.resolve() or os.environ.get("REFEREE_PYTHON") == sys.executable:
        return
    python = os.environ.get("REFEREE_PYTHON", str(VENV / "bin" / "python"))
    stamp = VENV / "complete"
    if "REFEREE_PYTHON" not in os.environ and not stamp.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "-r", HERE / "requirements.txt"], check=True)
        stamp.touch()
    os.execv(python, [python, *sys.argv])


def torch_net(file):
    """The sequential net of an ONNX file of the built-in trainer, as a PyTorch module with the same weights."""
    import onnx
    import torch
    from onnx import numpy_helper

    graph = onnx.load(file).graph
    weights = {i.name: torch.from_numpy(numpy_helper.to_array(i).copy()) for i in graph.initializer}
    layers = []
    for position, node in enumerate(graph.node):
        given = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        if node.op_type == "Conv":
            weight, bias = weights[node.input[1]], weights[node.input[2]]
            layer = torch.nn.Conv2d(
                weight.shape[1], weight.shape[0], weight.shape[2:], given.get("strides", 1), given["pads"][:2]
            )
        elif node.op_type == "Gemm":
            weight, bias = weights[node.input[1]], weights[node.input[2]]
            weight = weight if given.get("transB") else weight.T.contiguous()
            layer = torch.nn.Linear(weight.shape[1], weight.shape[0])
        elif node.op_type == "Relu":
            layers.append(torch.nn.ReLU())
            continue
        elif node.op_type == "Reshape":
            if position > 0:
                layers.append(torch.nn.Flatten())
            continue
        elif node.op_type == "Identity":
            continue
        else:
            raise SystemExit(f"expected a net of bench/training/mnist.mjs, got one with {node.op_type}")
        layer.weight.data, layer.bias.data = weight, bias
        layers.append(layer)
    return torch.nn.Sequential(*layers).eval().requires_grad_(False)


def assay(file, folder, plan):
    command = ["node", str(HERE / "attacks.mjs"), file, str(folder)]
    subprocess.run(command, input=json.dumps(plan), text=True, check=True)
    return {run["name"]: run for run in json.loads((folder / "assay.json").read_text())}


def pyautoattack(net, inputs, labels, epsilon, seed, options):
    """Positions of the samples left standing by each attack in turn, with seconds."""
    import torch
    from pyautoattack import AutoAttack

    names = ["apgd-ce", "apgd-t", *(["fab-t"] if options.fab else []), "square"]
    suite = AutoAttack(net, eps=epsilon, norm="Linf", version="custom", attacks=names, seed=seed)
    suite.apgd.n_restarts = suite.apgd_targeted.n_restarts = suite.fab.n_restarts = 1
    suite.fab.n_iter = options.iterations
    for apgd in (suite.apgd, suite.apgd_targeted):
        # Its constructor has laid out the checkpoints for 100 iterations: a shorter climb would never halve its step.
        apgd.n_iter = options.iterations
        apgd.n_iter_2 = max(int(0.22 * options.iterations), 1)
        apgd.n_iter_min = max(int(0.06 * options.iterations), 1)
        apgd.size_decr = max(int(0.03 * options.iterations), 1)
    suite.apgd_targeted.n_target_classes = suite.fab.n_target_classes = 9
    suite.square.n_queries = options.queries
    standing = torch.arange(len(labels))
    stages = []
    for name in names:
        began = clocks()
        suite.attacks_to_run = [name]
        _, predicted = suite.run_standard_evaluation(inputs[standing], labels[standing], batch_size=options.batch)
        standing = standing[predicted == labels[standing]]
        stages.append({"attack": name, **since(began), "standing": standing.tolist()})
    return {"stages": stages, "standing": standing.tolist()}


def clocks():
    return time.perf_counter(), time.process_time()


def since(began):
    return {"seconds": time.perf_counter() - began[0], "cpuSeconds": time.process_time() - began[1]}


def art_pgd(net, inputs, labels, epsilon, options):
    import numpy as np
    import torch
    from art.attacks.evasion import ProjectedGradientDescentPyTorch
    from art.estimators.classification import PyTorchClassifier

    np.random.seed(0)
    torch.manual_seed(0)
    classifier = PyTorchClassifier(
        net, torch.nn.CrossEntropyLoss(), (1, 28, 28), 10, clip_values=(0, 1), device_type="cpu"
    )
    attack = ProjectedGradientDescentPyTorch(
        classifier,
        norm=np.inf,
        eps=epsilon,
        eps_step=2.5 * epsilon / options.steps,
        max_iter=options.steps,
        num_random_init=options.restarts,
        batch_size=options.batch,
        verbose=False,
    )
    began = clocks()
    adversarial = attack.generate(inputs.numpy(), labels.numpy())
    spent = since(began)
    with torch.no_grad():
        right = net(torch.from_numpy(adversarial)).argmax(1) == labels
    standing = torch.nonzero(right).flatten().tolist()
    return {"stages": [{"attack": "pgd", **spent, "standing": standing}], "standing": standing}


def main():
    options = parse()
    import torch

    torch.set_num_threads(1)
    net = torch_net(options.model)
    found = []
    for epsilon in options.epsilons:
        with tempfile.TemporaryDirectory() as name:
            found.append(compare(net, epsilon, pathlib.Path(name), options))
        print(table(found[-1]), flush=True)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps({"options": vars(options), "results": found}, indent=1))


def compare(net, epsilon, folder, options):
    import numpy as np
    import torch

    apgd = {"steps": options.iterations, "restarts": 1}
    fab = [{"attack": "fab-t", **apgd, "targets": 9}] if options.fab else []
    suite = [
        {"attack": "apgd-ce", **apgd},
        {"attack": "apgd-t", **apgd, "targets": 9},
        *fab,
        {"attack": "square", "queries": options.queries},
    ]
    step = 2.5 * epsilon / options.steps
    pgd = [{"attack": "pgd", "steps": options.steps, "restarts": options.restarts, "stepSize": step}]
    plan = {"samples": options.samples, "epsilon": epsilon, "batchSize": options.batch}
    runs = [{"name": "suite", "attacks": suite}, {"name": "pgd", "attacks": pgd}]
    ours = assay(options.model, folder, {**plan, "seed": 0, "runs": runs})
    again = assay(options.model, folder, {**plan, "seed": 1, "runs": runs[:1]})

    inputs = torch.from_numpy(np.fromfile(folder / "inputs.f32", dtype="<f4").reshape(-1, 1, 28, 28))
    labels = torch.tensor(json.loads((folder / "labels.json").read_text()))
    logits = torch.tensor(json.loads((folder / "logits.json").read_text())).view(-1, 10)
    with torch.no_grad():
        difference = (net(inputs) - logits).abs().max().item()
    if difference > 1e-4:
        raise SystemExit(f"expected equal logits, got a difference of {difference}")

    theirs = [pyautoattack(net, inputs, labels, epsilon, seed, options) for seed in (0, 1)]
    art = art_pgd(net, inputs, labels, epsilon, options)
    count = len(labels)
    pairs = {
        "assay / pyautoattack": (ours["suite"], theirs[0]),
        "assay / assay, another seed": (ours["suite"], again["suite"]),
        "pyautoattack / pyautoattack, another seed": (theirs[0], theirs[1]),
        "assay PGD / ART PGD": (ours["pgd"], art),
    }
    return {
        "epsilon": epsilon,
        "samples": count,
        "logitDifference": difference,
        "cleanAccuracy": (logits.argmax(1) == labels).float().mean().item(),
        "pairs": {name: versus(one, other, count) for name, (one, other) in pairs.items()},
        "stages": {
            "assay": [short(stage, count) for stage in ours["suite"]["stages"]],
            "pyautoattack": [short(stage, count) for stage in theirs[0]["stages"]],
        },
    }


def versus(one, other, count):
    differ = set(one["standing"]) ^ set(other["standing"])
    return {
        "robustAccuracy": [len(one["standing"]) / count, len(other["standing"]) / count],
        "agreement": 1 - len(differ) / count,
        "seconds": [sum(stage["seconds"] for stage in side["stages"]) for side in (one, other)],
        "cpuSeconds": [sum(stage["cpuSeconds"] for stage in side["stages"]) for side in (one, other)],
    }


def short(stage, count):
    return {
        "attack": stage["attack"],
        "robustAccuracy": len(stage["standing"]) / count,
        "seconds": stage["seconds"],
        "cpuSeconds": stage["cpuSeconds"],
    }


def table(result):
    head = "| pair | robust accuracy | agreement | processor seconds | ratio |\n|---|---|---|---|---|"
    rows = []
    for name, pair in result["pairs"].items():
        (one, other), (first, second) = pair["robustAccuracy"], pair["cpuSeconds"]
        rows.append(
            f"| {name} | {one:.3f} / {other:.3f} | {pair['agreement']:.3f} | {first:.1f} / {second:.1f} "
            f"| {first / second:.2f} |"
        )
    for side, stages in result["stages"].items():
        rows.append("\n" + side + ": " + ", ".join(
            f"{s['attack']} {s['robustAccuracy']:.3f} ({s['cpuSeconds']:.1f} s)" for s in stages
        ))
    title = f"\nepsilon {result['epsilon']}, n = {result['samples']}, clean {result['cleanAccuracy']:.3f}, " \
        f"logits differ by {result['logitDifference']:.1e} at most\n"
    return "\n".join([title, head, *rows])


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--epsilons", type=float, nargs="+", default=[0.1, 0.2, 0.3])
    parser.add_argument("--samples", type=int, default=500)
    parser.add_argument("--iterations", type=int, default=100)
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--fab", action="store_true")
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--restarts", type=int, default=3)
    parser.add_argument("--batch", type=int, default=250)
    parser.add_argument("--json")
    return parser.parse_args()


if __name__ == "__main__":
    in_own_environment()
    main()
