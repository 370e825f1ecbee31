-- Who claimed: whose answer to a commit got lost asks again, and must not be refused what is theirs.
ALTER TABLE slot ADD COLUMN claimant text NOT NULL DEFAULT '';
ALTER TABLE event ADD COLUMN claimant text NOT NULL DEFAULT '';
