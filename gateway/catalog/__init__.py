"""What is served: the database's tables, the whitelist and the profile, built into one frozen catalog."""
