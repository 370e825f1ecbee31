"""What both CRMs need: a bounded line to each, how it is opened, and what its records say of people."""
