"""A file each; `train(workload, log)` trains all epochs and reports each one to the log."""
