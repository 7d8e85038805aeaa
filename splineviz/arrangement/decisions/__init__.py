"""Where the largest output changes: exact segments and pieces of cells."""
