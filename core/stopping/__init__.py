"""When training has learnt enough: pure rules, to be replayed on any history."""
