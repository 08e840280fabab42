"""Words, tables, choices, names of countries, legal forms, and maps of planning systems."""
