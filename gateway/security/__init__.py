"""Who is asking and what they may do: tokens, grants, principals, and the `Access` the planner obeys. No ASGI here."""
