"""A contestant's process: an order a line on stdin, a measurement a line on stdout."""

import os
import sys
from importlib import import_module

import msgspec
import torch

from .contest import Order
from .epochs import EpochLog
from .problem import workload


def main() -> None:
    """Train what is ordered until stdin ends."""
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what a framework prints is no answer
    threads = torch.get_num_threads()
    contestant = import_module(f".contestants.{sys.argv[1]}", __package__)
    for line in sys.stdin.buffer:
        order = msgspec.json.decode(line, type=Order)
        torch.set_num_threads(order.threads or threads)
        log = EpochLog()
        contestant.train(workload(order.problem.settings(*order.overrides)), log)
        answers.write(msgspec.json.encode(log.measurement()) + b"\n")


if __name__ == "__main__":
    main()
