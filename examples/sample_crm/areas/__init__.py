"""One module per area of the CRM; each fills its tables and remembers in the world what later areas refer to."""
