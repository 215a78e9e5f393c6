"""Perfex CRM, versions 3.0 to 3.4.1: facts as CSV files, a row each; tables without prefix but in the first two.

columns.csv    every column of the core and of the bundled modules, as 3.4.1 declares it
indexes.csv    every index
known.csv      patterns of columns that come at run time
tables.csv     aliases, key where the table has none, label, write mode with its reason, searched columns, summary;
relationships.csv          references, their closed conditions, both names (an empty reverse follows the rule
                           of `catalog.naming`), and whether the children live and die with the row
                           (yes), stay and forget it (freed), or block its deletion (no)
relationships_dropped.csv  references that are known and not used, and why
picks.csv      to-ones that pick one of many children
derived.csv    fields computed from others, in the grammar of `catalog.expressions`
kinds.csv      what text columns hold
allowed.csv    the only values a column takes
customfields.csv  whose rows have custom fields: what definitions and values call them, and the key that values hold
labels.csv     what the codes of a column mean
fillers.csv    what is written where a create leaves a column out
sensitive.csv  secret, token and confidential columns are hidden; pii and pii_text only masked for onlookers
profile.yaml   what is said once for all tables

The files agree with each other; `tests/unit/profile` says so.
"""
