"""Products of others that stand between us and the server, installed as their users install them."""
