-- How often somebody was erased. Who is gone leaves no row that says so, and yet every process has to drop
-- what it remembers of them.
CREATE TABLE erased (one boolean PRIMARY KEY DEFAULT true CHECK (one), times bigint NOT NULL);
INSERT INTO erased (times) VALUES (0);
