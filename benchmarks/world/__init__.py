"""A world of accounts, people and mail to judge the judgement against; README.md says what it assumes."""
