"""Milliseconds an epoch: epochtop's engine beside the plain loop and other frameworks.

    python -m tests.benchmarks.engine_speed [ROUNDS] [--only NAME ...] [--problem NAME ...]
                                            [--device NAME] [--threads N] [--json FILE]

The same for all: first weights, batches and their order, Adam with torch's defaults, both losses
each epoch, early stopping that keeps the best weights and never fires. Every contestant lives in
a process of its own, of which one works at a time; a round lets each train once, in an order that
alternates, and ratios are taken within a round. Loading and the first epochs do not count:
frameworks set things up in them, or compile.

- plain: the loop that people write; DataLoader over TensorDataset, `.item()` per batch
- fused: the same with `Adam(fused=True)`
- lightning: without logger, progress bar and summary; its EarlyStopping and ModelCheckpoint
- skorch: NeuralNet with its default callbacks, silent; its EarlyStopping(load_best=True)
- ignite: create_supervised_trainer and _evaluator; its EarlyStopping, the best weights in memory
- keras: on torch, `fit` on the same DataLoader; its EarlyStopping(restore_best_weights=True)
- epochtop: its default settings in a run directory: journal, checkpoints, metrics, and the train
  loss measured once more in evaluation mode
- compiled: the same with train.compile

Without --threads each takes torch's own number of them, but for epochtop, which trains small
models on one. Two numbers of threads round differently, and training amplifies the last digit: so
losses are compared with the plain loop's on as many threads, which it trains on once more, untimed.
On a GPU epochtop's update is torch's fused one, so there they are compared with the loop called
fused. Keras takes part on the CPU alone: elsewhere it chooses its device itself.
Times and ratios are medians each by itself, so they need not divide. The frameworks come with
`pip install -e '.[bench]'`; one that is not installed is left out.
The exit code is 1 when a loss of epochtop's is not the plain loop's, epoch by epoch. What rounds
another way (compiled or fused kernels) is far away after some epochs.
"""
