"""How well the scores do on real data that nothing was fitted to: `make evaluate` writes docs/evaluation.md."""
