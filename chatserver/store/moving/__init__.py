"""Moving house: the rows of a whole database to another, whichever kinds the two are."""
