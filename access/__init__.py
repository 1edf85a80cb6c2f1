"""Who may read what, and whom nobody may read any more: roles, row level security, grants, forgetting (issue 7)."""
